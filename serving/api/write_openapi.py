"""``python -m serving.api.write_openapi docs/openapi.json`` writes the OpenAPI document."""

import sys
from pathlib import Path

from features.contracts.home import Home
from serving.api.app import create_app
from serving.api.openapi import openapi_text
from serving.api.settings import Settings


def main(file: Path) -> None:
    """Write the document of an application with default settings to ``file``."""
    nowhere = Home(Path("var"), Path("configs"), Path("mlruns"))
    file.write_text(openapi_text(create_app(Settings(nowhere))), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
