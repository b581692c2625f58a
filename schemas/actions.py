"""The verbs of rules and their settings, so that a rule can be checked before anything is done."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from schemas.conditions import Duration, Name, Words

Label = Annotated[str, StringConstraints(pattern=r"\S", max_length=100)]
Line = Annotated[str, StringConstraints(pattern=r"\S", max_length=300)]
Whom = Annotated[str, StringConstraints(pattern=r"^(owner|[^@\s]+@[^@\s]+)$", max_length=320)]


def lasting(duration: str) -> str:
    """A duration in words: `2d` is `2 days`."""
    unit = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}[duration[-1]]
    return f"{duration[:-1]} {unit}{'' if duration[:-1] == '1' else 's'}"


class Settings(Words):
    """What stands behind a verb."""

    def told(self) -> str:
        """What is done, for people: `add the tag urgent`. Raises NotImplementedError where a verb has no words."""
        raise NotImplementedError


class ToSomebody(Settings):
    """Somebody of ours is addressed: a team, the profile's owner, or one address."""

    team: Name | None = None
    to: Whom | None = Field(default=None, description="owner, or an address.")

    @model_validator(mode="after")
    def _to_one(self) -> ToSomebody:
        if (self.team is None) == (self.to is None):
            raise ValueError("needs `team` or `to`, and one of them alone")
        return self

    @property
    def whom(self) -> str:
        """Who it is, for people."""
        if self.team:
            return f"team {self.team}"
        return "the owner" if self.to == "owner" else str(self.to)


class AssignOwner(Settings):
    """The profile gets an owner out of a team, a certain one, or none."""

    team: Name | None = None
    to: Annotated[str, StringConstraints(pattern=r"^(pool|[^@\s]+@[^@\s]+)$", max_length=320)] | None = Field(
        default=None, description="An address; pool: nobody owns it, everybody may take it."
    )
    strategy: Literal["round_robin", "territory", "capacity"] = Field(
        default="round_robin", description="With `team`: whose turn it is."
    )

    @model_validator(mode="after")
    def _one_way(self) -> AssignOwner:
        if (self.team is None) == (self.to is None):
            raise ValueError("needs `team` or `to`, and one of them alone")
        if self.to is not None and "strategy" in self.model_fields_set:
            raise ValueError("holds a strategy, which belongs to `team`")
        return self

    def told(self) -> str:
        """What is done, for people."""
        if self.to == "pool":
            return "put it back into the pool"
        how = {"round_robin": "in turn", "territory": "by territory", "capacity": "by capacity"}[self.strategy]
        return f"assign it to {self.to}" if self.to else f"assign it to somebody of team {self.team}, {how}"


class CreateTask(ToSomebody):
    """A task for somebody."""

    title: Line
    due: Duration = Field(default="1d", description="From now on.")

    def told(self) -> str:
        """What is done, for people."""
        return f"give {self.whom} the task “{self.title}”, due in {lasting(self.due)}"


class SetReminder(ToSomebody):
    """A reminder that comes later."""

    title: Line
    after: Duration = Field(default="1d", description="From now on.")

    def told(self) -> str:
        """What is done, for people."""
        return f"remind {self.whom} of “{self.title}” in {lasting(self.after)}"


class SendEmail(Settings):
    """A mail to the customer."""

    template: Name = Field(description="templates/<name>.liquid beside the rules.")
    source: str | None = Field(
        default=None, max_length=65_536, description="The template itself, in the place of the file."
    )
    purpose: Literal["service", "marketing"] = Field(
        default="service", description="marketing: only with consent, and held back while a complaint is open."
    )

    def told(self) -> str:
        """What is done, for people."""
        return f"send them the mail {self.template}{' (marketing)' if self.purpose == 'marketing' else ''}"


class AddTag(Settings):
    """A tag more."""

    tag: Label

    def told(self) -> str:
        """What is done, for people."""
        return f"add the tag {self.tag}"


class RemoveTag(Settings):
    """A tag less."""

    tag: Label

    def told(self) -> str:
        """What is done, for people."""
        return f"remove the tag {self.tag}"


class SetStage(Settings):
    """Where in the funnel the profile stands."""

    stage: Label

    def told(self) -> str:
        """What is done, for people."""
        return f"set the stage to {self.stage}"


class Notify(ToSomebody):
    """A word to people of ours, by mail, or by a tool of theirs."""

    text: Line
    destination: Name | None = Field(default=None, description="Of hub.toml: the tool is told, and nobody by mail.")

    @model_validator(mode="after")
    def _to_one(self) -> Notify:
        if [self.team, self.to, self.destination].count(None) != 2:
            raise ValueError("needs `team`, `to` or `destination`, and one of them alone")
        return self

    @property
    def whom(self) -> str:
        """Who it is, for people."""
        return f"the tool {self.destination}" if self.destination else super().whom

    def told(self) -> str:
        """What is done, for people."""
        return f"tell {self.whom} “{self.text}”"


class CallWebhook(Settings):
    """A tool is told that the rule fired."""

    destination: Name = Field(description="Of hub.toml: [destinations.<name>].")

    def told(self) -> str:
        """What is done, for people."""
        return f"call the webhook {self.destination}"


ACTIONS: dict[str, type[Settings]] = {
    "assign_owner": AssignOwner,
    "create_task": CreateTask,
    "set_reminder": SetReminder,
    "send_email": SendEmail,
    "add_tag": AddTag,
    "remove_tag": RemoveTag,
    "set_stage": SetStage,
    "notify": Notify,
    "call_webhook": CallWebhook,
}
"""Verb → its settings."""
