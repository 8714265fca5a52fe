#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image. The course is in course/, beside this file.
set -euo pipefail
cd "${AUTOGRADER:-/autograder}/source/course"
apt-get update
apt-get install -y --no-install-recommends make python3 python3-venv
make .venv/.ready
# The build log shows which protections against student code hold here.
.venv/bin/proctor doctor || true
