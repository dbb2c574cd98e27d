"""What routes ask for, so that a handler reads like its signature."""

from typing import Annotated

from fastapi import Depends, Path, Request

from serving.api.fields import Id
from serving.api.services import Services


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Served = Annotated[Services, Depends(_services)]

UserPath = Annotated[Id, Path(description="The mall's id of the user.", examples=["1"])]
ItemPath = Annotated[Id, Path(description="The mall's id of the item.", examples=["1082185"])]
