"""The sample class is what its script makes from the current release, and says what each notebook should get."""

import importlib.util
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
RELEASE = ROOT / "release" / "custom_training_basics" / "custom_training_basics.ipynb"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sample_class", ROOT / "tools" / "make_sample_class.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def contents(files: list[Path], top: Path) -> dict[str, bytes]:
    return {str(file.relative_to(top)): file.read_bytes() for file in files}


def test_committed_class_is_what_the_script_makes(script, tmp_path):
    """Made again from the release, every file has the same bytes, and there is no other file."""
    made = contents(script.make_class(RELEASE, tmp_path), tmp_path)
    committed = list((ROOT / "submitted").glob("sample-*/**/*.ipynb"))
    if not committed:
        pytest.skip("this course has removed its sample class")
    assert contents(committed, ROOT / "submitted") == made


def test_grading_knows_the_class_by_its_sums(script, tmp_path):
    """The sums that grading trusts are those of the class as the script makes it."""
    assert script.SUMS.read_text() == script.sums(script.make_class(RELEASE, tmp_path))


def test_expected_points_are_within_what_the_cells_give(script):
    """Every student has an expectation for every test cell, from 0 to its points."""
    released = nbformat.read(RELEASE, as_version=4)
    graded = {c.id: c.metadata.nbgrader.points for c in released.cells if c.metadata.get("nbgrader", {}).get("grade")}
    students, _ = script.load()
    assert 10 <= len(students) <= 12
    for student, row in students.items():
        assert row["expected"].keys() == graded.keys(), student
        assert all(0 <= points <= graded[cell] for cell, points in row["expected"].items()), student
        assert row["story"], student


def test_saved_outputs_are_what_the_notebook_prints(script, run):
    """What an executed sample shows is what the instructor's notebook prints."""
    _, saved = script.load()
    printed = run()
    assert {cell for cell, text in saved.items() if printed[cell].rstrip("\n") != text} == set()


def test_an_unknown_key_in_the_table_is_an_error(script, tmp_path):
    """A misspelt key would silently make another notebook."""
    table = tmp_path / "table.toml"
    table.write_text('[printed]\n[sample-zoe]\nstorey = "misspelt"\n', encoding="utf-8")
    with pytest.raises(ValueError, match="sample-zoe has storey"):
        script.load(table)


def test_a_release_without_the_stub_is_an_error(script, tmp_path):
    """After a change of the stub the answers would land nowhere."""
    source = ROOT / "source" / "custom_training_basics" / "custom_training_basics.ipynb"
    with pytest.raises(ValueError, match="has no stub to replace"):
        script.make_class(source, tmp_path)


def test_notebooks_look_handed_in(script, tmp_path):
    """Some are saved with outputs, one with an error, one by Colab without cell ids; each has the four test cells."""
    notebooks = {file.parts[-3]: nbformat.read(file, as_version=4) for file in script.make_class(RELEASE, tmp_path)}
    outputs = {s: [o for c in nb.cells for o in c.get("outputs", [])] for s, nb in notebooks.items()}
    assert 3 <= sum(bool(found) for found in outputs.values()) < len(notebooks)
    assert any(o.output_type == "error" for found in outputs.values() for o in found)
    assert any(nb.nbformat_minor == 0 for nb in notebooks.values())
    for notebook in notebooks.values():
        nbformat.validate(notebook)
        graded = [c.metadata.nbgrader.grade_id for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade")]
        assert graded == ["test_loss", "test_apply_gradients", "test_train", "test_training_run"]
