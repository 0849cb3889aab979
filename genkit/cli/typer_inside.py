"""What is used of Typer and not public: how completions reach a shell.

Where a later Typer has no such names, it goes on in its own way: completions take longer, and bash
completes no value after ``=``.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

_BASH = r"""
%(complete_func)s() {
    local IFS=$'\n' each word="${COMP_LINE:0:COMP_POINT}"
    COMPREPLY=( $( env _TYPER_COMPLETE_ARGS="$word" _TYPER_COMPLETE_FISH_ACTION=get-args \
                   %(autocomplete_var)s=complete_fish "$1" ) )
    COMPREPLY=( "${COMPREPLY[@]%%%%$'\t'*}" )
    word="${word##* }"
    if [[ $word == *=* ]]; then  # bash completes what follows the =
        COMPREPLY=( "${COMPREPLY[@]#"${word%%"${word##*=}"}"}" )
    fi
    for each in "${!COMPREPLY[@]}"; do
        printf -v "COMPREPLY[$each]" %%q "${COMPREPLY[$each]}"
    done
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=/] ]]; then
        compopt -o nospace
    fi
}

complete -o default -F %(complete_func)s %(prog_name)s
"""


def complete_plainly() -> None:
    """Let completions be plain text, and bash complete the value of a setting.

    Typer imports Rich to look for markup in what it tells of each offer, which takes half as long
    as all else; here there is none. Its script for bash knows neither ``latent_dim=8`` as one word,
    nor that no blank follows ``latent_dim=``. That of fish knows the first: its protocol is used.
    """
    with suppress(ImportError):
        classes = import_module("typer._completion_classes")
        classes._sanitize_help_text = str  # type: ignore[attr-defined]  # noqa: SLF001
    with suppress(ImportError, AttributeError):
        scripts = import_module("typer._completion_shared")
        scripts._completion_scripts["bash"] = _BASH  # noqa: SLF001
