"""`hub init`: a hub.toml to begin with, every setting explained beside it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from hub.cli import session

app = typer.Typer(rich_markup_mode="rich")

TEMPLATE = """\
# Settings of the customer integration hub. `hub config check` names everything that is wrong in here.
# Every key can be set from outside as well: HUB_STATE, HUB_GATEWAY__LISTEN, HUB_KEYS__CRM__SECRET_FILE ...

# Folder of the private Kafka, PostgreSQL and Redis. Default: the data folder of your platform.
# state = "var/hub"

# Country of phone numbers that name none, two letters.
# region = "DE"

# Takes events in; may face the internet behind TLS.
[gateway]
listen = "127.0.0.1:8080"

# Answers questions (/api/...); keep it inside.
[console]
listen = "127.0.0.1:8090"

# A key of the HTTP interfaces: "Authorization: Bearer <secret>". Scopes:
#   events:write      POST /events
#   profiles:read     GET /api/profiles/...
#   profiles:erase    POST /api/profiles/.../erase: everything that somebody said is forgotten, for good
#   profiles:write    POST /api/profiles/.../merge, .../owner, /api/duplicates/..., /api/tasks/...: what people do
#   operations:read   GET /api/lag, /api/dead-letters, /api/deliveries
[keys.first]
secret = "{secret}"
# secret_file = "/run/secrets/first"     # instead of `secret`
scopes = ["events:write", "profiles:read", "operations:read"]

# Sources: who may post to /in/<name>. A kind is code, the name is yours; several of one kind are normal.
[sources.web]
kind = "web_form"
keys = ["{form_key}"]      # ?key= or a hidden field; may be public
redirects = []                           # hosts that the form field `redirect` may lead to
# region = "DE"
# [sources.shop]
# kind = "shopify"
# secret = "..."                         # the app's client secret; while it is being changed, a list of both
# [sources.desk]
# kind = "zendesk"
# secret = "..."                         # the webhook's signing secret
# [sources.inbox]
# kind = "smtp"                          # or "imap": host, user, password_file, folder
# listen = "127.0.0.1:2525"
# domains = ["example.com"]              # yours: a mail from them never makes a customer
# [sources.site]
# kind = "tracking"                      # what the client libraries of Segment and RudderStack send to /v1/...
# write_keys = ["wk_site"]
# [sources.payments]
# kind = "webhook"                       # any signed webhook; presets: stripe, woocommerce, typeform, tally ...
# preset = "stripe"
# secret = "whsec_..."

# The hub's own mail, for rules that send some.
# [mail]
# relay = "127.0.0.1:25"                 # a mail server that takes it
# from = "Example <hello@example.com>"
# user = "hub"                           # where the relay asks; with password or password_file

# Destinations: who is told when a profile changes. Signed webhooks (Standard Webhooks).
# [destinations.sales]
# kind = "webhook"
# url = "https://crm.example.com/hub"
# secret = "whsec_..."
# events = ["profile.*", "action.*"]     # what it wants to hear of: profiles (the default), and what rules do
# allow_private = true                   # only for an address inside your own network
# [destinations.sales-chat]              # a channel of Slack, Mattermost or Discord, for what rules say
# kind = "slack"
# url = "https://hooks.slack.com/services/..."

# Which of several statements of a field counts; docs/fields.md has the defaults and all words.
# [survivorship.strategy]
# company = "most_recent"
# [survivorship.priority]
# tax_id = ["books", "shop"]             # the first source that says something wins

# Addresses and numbers that stand for nobody in particular, beside the role addresses that every hub knows.
# After a change: hub profiles resolve
# [identity]
# blocked = ["*@agency.example", "frontdesk@firm.example", "+49 30 901820"]

# What happens by itself: a folder of files, one a rule. docs/reference/rules.md has the language.
# [rules]
# folder = "rules"
# apply = true                           # take the files over at every start
# time_scale = 1.0                       # every wait lasts this part of its time, for trials
# [teams.sales]                          # whom rules give customers to, in turn
# members = ["ann@example.com", "bob@example.com"]

# Where a customer may stand, in their order: hub funnel
# [funnel]
# stages = ["lead", "qualified", "offer", "customer", "lost"]
# out = ["lost"]                         # stages that lead out

# Servers of your own instead of the private ones.
# [kafka]
# servers = ["kafka-1:9092", "kafka-2:9092"]
# replication = 3
# partitions = 24
# [postgres]
# url = "postgresql://hub@db.example.com/hub"
# [redis]
# url = "redis://cache.example.com:6379/0"
"""


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("hub.toml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite it.")] = False,
) -> None:
    """Write a commented hub.toml: two listeners, a key and a form to begin with. Status 1: it is there already.

    [bold]Examples[/]

        hub init && hub serve
        hub init /etc/hub.toml && export HUB_CONFIG=/etc/hub.toml
    """
    text = TEMPLATE.format(secret=secrets.token_urlsafe(24), form_key=f"pk_web_{secrets.token_hex(6)}")
    try:
        # It holds a secret: closed to other users from the start.
        exists = os.O_TRUNC if force else os.O_EXCL
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | exists, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        session.fail(f"{path} is there already; --force overwrites it")
    except OSError as error:
        session.fail(f"{path}: {error.strerror}")
    typer.echo(f"{path} written. Next: hub serve, and in another window: hub lag --watch")
