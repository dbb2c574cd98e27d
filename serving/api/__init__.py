"""The HTTP face. FastAPI appears only here."""

from serving.api.app import app_from_environment, create_app
from serving.api.settings import Settings

__all__ = ["Settings", "app_from_environment", "create_app"]
