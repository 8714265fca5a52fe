"""An ordinary IPython kernel without what nobody asks of a graded notebook: `proctor.kernels.child` becomes one."""
