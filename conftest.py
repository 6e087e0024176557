"""What every test run needs before it imports anything: rooms whose framework is not installed are passed by."""

import importlib.util
import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras takes TensorFlow where nobody says

# What needs a framework that the development environment may lack, and the package that it needs.
ROOMS = {
    "src/shrinkage/interop/keras": "keras",
    "docs/keras.md": "keras",
    "src/shrinkage/interop/optax": "optax",
    "docs/optax.md": "optax",
    "src/shrinkage/interop/lightning.py": "lightning",
    "src/shrinkage/interop/transformers.py": "transformers",
}

collect_ignore = [path for path, package in ROOMS.items() if importlib.util.find_spec(package) is None]

if importlib.util.find_spec("hypothesis") is not None:
    from hypothesis import settings

    # The same examples everywhere and always; a machine's speed fails no test.
    settings.register_profile("shrinkage", derandomize=True, deadline=None)
    settings.load_profile("shrinkage")
