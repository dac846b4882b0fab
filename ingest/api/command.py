"""What every change by HTTP carries."""

from pydantic import BaseModel, Field


class Command(BaseModel):
    """Who asks for a change, and why."""

    actor: str = Field(min_length=1, max_length=200)
    reason: str = Field("", max_length=1000)
