#!/bin/sh
# Show the symptom checker on a clinic PC: full screen, and nothing else. docs/clinic.md says how
# to set it up, and what each flag is for.
#
# The browser keeps everything in memory, and all of it is thrown away at the end: what people leave
# in a browser is never on the disk. What stays there is the enrolment alone, one cookie, and the page
# for when the server is away. Until there is one, the browser shows the page that asks for a code.
#
# Set by kiosk.env, which the systemd unit reads:
#   KIOSK_URL       where the server is: https://check.clinic.internal
#   KIOSK_PRINTS    1 if the advice is printed without a dialogue, else empty
#   KIOSK_CHROMIUM  the browser, if it is not called chromium
#   KIOSK_WAITS     how many seconds to wait for the server before the browser starts: 60
#   STATE_DIRECTORY, RUNTIME_DIRECTORY  set by systemd: on the disk, and in memory

set -eu
umask 077

: "${KIOSK_URL:?is not set: the address of the server, such as https://check.clinic.internal}"
: "${STATE_DIRECTORY:?is not set: a folder on the disk, for the enrolment}"
: "${RUNTIME_DIRECTORY:?is not set: a folder in memory}"
enrolled=$STATE_DIRECTORY/enrolled
cookie=__Host-kiosk

start() {
    # Crash reports, caches and temporary files go by these, and not into the profile.
    home=$fresh/home
    mkdir "$home"
    set -- \
        --user-data-dir="$fresh" \
        --kiosk \
        --no-first-run \
        --no-default-browser-check \
        --noerrdialogs \
        --hide-crash-restore-bubble \
        --disable-features=BackForwardCache,Translate \
        --disable-pinch \
        --overscroll-history-navigation=0 \
        --disable-component-update \
        --disable-background-networking \
        --disk-cache-size=52428800 \
        --password-store=basic \
        ${KIOSK_PRINTS:+--kiosk-printing} \
        "$KIOSK_URL/kiosk/"
    HOME=$home TMPDIR=$home XDG_CACHE_HOME=$home XDG_CONFIG_HOME=$home \
        "${KIOSK_CHROMIUM:-chromium}" "$@" &
    browser=$!
}

enrolment() { # enrolment FILE: what tells an enrolment from another, and from itself a month ago
    sqlite3 -readonly "$1" "SELECT hex(encrypted_value), expires_utc / 2592000000000
        FROM cookies WHERE name = '$cookie'" 2>/dev/null
}

keep() { # the enrolment of the running browser on the disk, if it is not there yet
    cookies=$RUNTIME_DIRECTORY/cookies
    cp "$fresh/Default/Cookies" "$cookies" 2>/dev/null || return 0
    sqlite3 "$cookies" "DELETE FROM cookies WHERE name <> '$cookie'; VACUUM" 2>/dev/null || return 0
    found=$(enrolment "$cookies") || return 0
    if [ -z "$found" ] || [ "$found" = "$(enrolment "$enrolled/Default/Cookies")" ]; then
        return 0
    fi
    new=$STATE_DIRECTORY/new
    rm -rf "$new"
    mkdir -p "$new/Default"
    cp "$cookies" "$new/Default/Cookies"
    for part in "Service Worker" WebStorage; do # with the page for when the server is away
        cp -R "$fresh/Default/$part" "$new/Default/$part" 2>/dev/null || true
    done
    sync
    rm -rf "$enrolled"
    mv "$new" "$enrolled"
}

end() {
    kill "${keeper:-}" 2>/dev/null || true
    if [ -n "${browser:-}" ]; then
        kill "$browser" 2>/dev/null || true
        wait "$browser" 2>/dev/null || true
    fi
    if [ -n "${fresh:-}" ]; then
        keep || true
        rm -rf "$fresh" "$RUNTIME_DIRECTORY/cookies"
    fi
}
trap end EXIT
trap 'exit 0' HUP INT TERM

wait_for_server() { # after a power cut the screen is often up before the server
    until curl --silent --fail --max-time 3 --output /dev/null "$KIOSK_URL/readyz"; do
        waited=$((${waited:-0} + 1))
        if [ "$waited" -gt "${KIOSK_WAITS:-60}" ]; then
            return
        fi
        sleep 1
    done
}

if [ "$(stat --file-system --format=%T "$RUNTIME_DIRECTORY")" != tmpfs ]; then
    echo "$RUNTIME_DIRECTORY is not in memory: what people leave would stay on the disk" >&2
    exit 78
fi
if ! command -v sqlite3 >/dev/null; then
    echo "sqlite3 is not installed: the enrolment could not be kept" >&2
    exit 78
fi
rm -rf "$RUNTIME_DIRECTORY"/profile.* # of a start that was killed
fresh=$(mktemp -d "$RUNTIME_DIRECTORY/profile.XXXXXX")
if [ -d "$enrolled" ]; then
    cp -R "$enrolled/." "$fresh"
fi
wait_for_server
start
while sleep 10; do keep; done &
keeper=$!
wait "$browser"
