"""A FastAPI application that does nothing: what the framework alone takes."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def nothing() -> dict[str, bool]:
    """The least answer there is."""
    return {"ok": True}
