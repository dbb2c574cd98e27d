"""How inner loops become machine code: the decorator and the types that the ``compiled`` modules share.

Types are fixed and the machine code is kept beside the code (``NUMBA_CACHE_DIR`` moves it): only the first import
after an installation compiles. The functions run without Python's lock, so that a server takes requests while it ranks.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import types

_options: Any = numba.config  # its attributes are made when numba is imported

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _kept_in() -> Path:
    """The folder of the machine code, another one whenever a line of these files changes.

    Loops of one file are built into those of others, and numba asks of a function whether its own file changed: it
    would go on with what it kept of the others.
    """
    here = Path(__file__).parent
    sources = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(here.glob("compil*.py"))))
    return Path(_options.CACHE_DIR or here / "__pycache__") / f"loops-{sources.hexdigest()[:12]}"


_options.CACHE_DIR = str(_kept_in())


def array_of(kind: Any, dimensions: int = 1, *, readonly: bool = True) -> Any:
    """The type of a contiguous array."""
    # Arrays of a memory-mapped bundle are read-only; those that can be written fit too.
    return types.Array(kind, dimensions, "C", readonly=readonly)


I1, I4, I8, F4, F8 = (array_of(kind) for kind in (types.int8, types.int32, types.int64, types.float32, types.float64))
N = types.int64


def compiled(*signatures: tuple[Any, ...], reassociated: bool = False) -> Callable[[_Function], _Function]:
    """Compile for each of the ``signatures``; without any, for what the other functions of the file call it with.

    With ``reassociated`` a sum runs in several parts at a time, always the same ones.
    """
    freedom = {"reassoc", "contract"} if reassociated else False
    made = numba.njit(list(signatures) or None, cache=True, nogil=True, error_model="numpy", fastmath=freedom)
    return cast("Callable[[_Function], _Function]", made)
