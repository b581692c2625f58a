"""What rules can do: one file per verb, listed here."""

from consumers.actions.add_tag import ADD_TAG
from consumers.actions.assign_owner import ASSIGN_OWNER
from consumers.actions.call_webhook import CALL_WEBHOOK
from consumers.actions.create_task import CREATE_TASK
from consumers.actions.notify import NOTIFY
from consumers.actions.remove_tag import REMOVE_TAG
from consumers.actions.send_email import SEND_EMAIL
from consumers.actions.set_reminder import SET_REMINDER
from consumers.actions.set_stage import SET_STAGE
from hub.registry import Registry

ACTIONS = Registry(
    "action",
    ADD_TAG,
    ASSIGN_OWNER,
    CALL_WEBHOOK,
    CREATE_TASK,
    NOTIFY,
    REMOVE_TAG,
    SEND_EMAIL,
    SET_REMINDER,
    SET_STAGE,
)
