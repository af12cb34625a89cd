# Sourced by the Makefile before tox. It does nothing on a machine that has neither pyenv nor pip
# settings.

# pyenv's shims answer only for the version in use: the folders of the rest go behind the PATH.
if command -v pyenv >/dev/null 2>&1; then
    for folder in "$(pyenv root)"/versions/3.1[123]*/bin; do
        [ -d "$folder" ] && PATH="$PATH:$folder"
    done
    export PATH
fi

# uv does not read pip's settings. Where pip was told of other places to look, uv is told too.
pip_setting() {
    "${PYTHON:-python3}" -m pip config get "global.$1" 2>/dev/null || true
}

links=$(pip_setting find-links)
index=$(pip_setting index-url)
extra=$(pip_setting extra-index-url)
cert=$(pip_setting cert)
[ -z "$links" ] || export UV_FIND_LINKS="${UV_FIND_LINKS:-$(echo "$links" | tr -s ' \n' ',,')}"
[ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
if [ -n "$extra" ]; then
    export UV_EXTRA_INDEX_URL="${UV_EXTRA_INDEX_URL:-$(echo "$extra" | tr -s '\n' ' ')}"
    # pip takes the best version of all indexes; uv, left alone, that of the first it finds.
    export UV_INDEX_STRATEGY="${UV_INDEX_STRATEGY:-unsafe-best-match}"
fi
[ -z "$cert" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$cert}"

# A missing interpreter is skipped, not downloaded.
export UV_PYTHON_DOWNLOADS="${UV_PYTHON_DOWNLOADS:-never}"
