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

_ZSH = r"""
#compdef %(prog_name)s

%(complete_func)s() {
    local offer word
    local -a whole begun
    for offer in "${(@f)$(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" \
                              _TYPER_COMPLETE_FISH_ACTION=get-args \
                              %(autocomplete_var)s=complete_fish "${words[1]}")}"; do
        word="${offer%%%%$'\t'*}"
        offer="${word//:/\\:}${${offer#"$word"}/$'\t'/:}"
        if [[ $word == *[=/] ]]; then
            begun+=( "$offer" )
        elif [[ -n $word ]]; then
            whole+=( "$offer" )
        fi
    done
    if (( $#whole + $#begun )); then
        _describe -V %(prog_name)s whole -- begun -S ''
    else
        _files
    fi
}

if [[ "$funcstack[1]" == _%(prog_name)s ]]; then  # zsh loads it at the first tab
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH = r"""
function %(complete_func)s
    set --local offers (env %(autocomplete_var)s=complete_fish \
        _TYPER_COMPLETE_FISH_ACTION=get-args _TYPER_COMPLETE_ARGS=(commandline -cp) \
        %(prog_name)s)
    if test -n "$offers[1]"
        printf '%%s\n' $offers
    else
        __fish_complete_path (commandline -ct)
    end
end

complete --command %(prog_name)s --no-files --arguments '(%(complete_func)s)'
"""


def complete_plainly() -> None:
    """Let completions be plain text, and each shell complete the value of a setting.

    Typer imports Rich to look for markup in what it tells of each offer, which takes half as long
    as all else; here there is none. Its script for bash knows neither ``latent_dim=8`` as one word,
    nor that no blank follows ``latent_dim=``, and that of zsh doesn't know the second. That of fish
    asks twice. The protocol of fish, a line an offer, is used by all three.
    """
    with suppress(ImportError):
        classes = import_module("typer._completion_classes")
        classes._sanitize_help_text = str  # type: ignore[attr-defined]  # noqa: SLF001
    with suppress(ImportError, AttributeError):
        scripts = import_module("typer._completion_shared")
        scripts._completion_scripts.update(bash=_BASH, zsh=_ZSH, fish=_FISH)  # noqa: SLF001
