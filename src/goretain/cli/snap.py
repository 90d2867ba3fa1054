"""``goretain snap`` as click shows it: help, and what is wrong with the arguments.

With arguments that fit, ``main`` goes to ``cli.light`` before click is imported. Imports ``cli.light``,
click and rich-click.
"""

from __future__ import annotations

from typing import Any

import click
import rich_click

from goretain.cli import light

_HELP = """Save the memory of TARGET in one file, to be analysed elsewhere.

TARGET is the PID of a running Go program or an ELF core. The image needs nothing else: 'goretain why FILE'
gives the same report wherever it is opened. A running program is stopped for milliseconds; writing begins
when it runs again. An image holds contents of memory and is sensitive."""


def _run(**options: Any) -> int:
    return light.run(options)


def _option(option: light.Option) -> click.Option:
    names = [*option.names, option.key]
    if not option.metavar:
        return click.Option(names, is_flag=True, help=option.help)
    return click.Option(
        names,
        type=option.kind,
        metavar=option.metavar,
        required=option.required,
        multiple=option.many,
        help=option.help,
    )


snap = rich_click.RichCommand(
    name="snap",
    params=[click.Argument(["target"]), *map(_option, light.OPTIONS)],
    callback=_run,
    help=_HELP,
)
