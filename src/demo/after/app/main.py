"""The application."""

from fastapi import FastAPI

from app.integrations.http import user_agent
from app.routers import ALL

app = FastAPI(title=user_agent("2"))
for router in ALL:
    app.include_router(router)
