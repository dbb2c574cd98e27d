"""What all tests share."""

import os

# As the command line does: read when OpenMP is loaded, which is after this file.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
