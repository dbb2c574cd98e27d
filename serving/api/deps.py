"""What routes ask for, so that a handler reads like its signature."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Path, Request

from features.contracts.errors import UnknownNameError
from features.contracts.knowledge import USER
from serving.api.fields import Id
from serving.api.problems import ProblemError
from serving.api.services import Services


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Served = Annotated[Services, Depends(_services)]

UserPath = Annotated[Id, Path(description="The mall's id of the user.", examples=["1"])]
ItemPath = Annotated[Id, Path(description="The mall's id of the item.", examples=["1082185"])]


def _profiled(user_id: UserPath, served: Served) -> str:
    if served.lake.tombstones.has(USER, user_id):
        raise UnknownNameError(f"nothing is known of a user '{user_id}'")
    if not allows_profile(served, user_id):
        raise ProblemError(HTTPStatus.FORBIDDEN, "the user switched personalization off; his profile is not given out")
    return user_id


#: A user whose tags and risk may be given out.
ProfiledUser = Annotated[str, Depends(_profiled)]


def allows_profile(served: Services, user_id: str) -> bool:
    """Whether tags and scores of a user may be given to whoever asks: not once he switched personalisation off."""
    return served.permissions.of(user_id).personalization is not False
