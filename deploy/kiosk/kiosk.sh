#!/bin/sh
# Show the symptom checker on a clinic PC: full screen, and nothing else. docs/clinic.md says how
# to set it up, and what each flag is for.
#
# The first time it shows the page that asks for the code of staff, and keeps the enrolment on the
# disk. From then on each start makes a copy of that in memory, and throws it away at its end: what
# people leave in the browser is never on the disk.
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

start() { # start PROFILE ADDRESS
    # Crash reports, caches and temporary files go by these, and not into the profile.
    home=$1/home
    mkdir -p "$home"
    set -- \
        --user-data-dir="$1" \
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
        "$2"
    HOME=$home TMPDIR=$home XDG_CACHE_HOME=$home XDG_CONFIG_HOME=$home \
        "${KIOSK_CHROMIUM:-chromium}" "$@" &
    browser=$!
}

close() {
    if [ -n "${browser:-}" ]; then
        kill "$browser" 2>/dev/null || true
        wait "$browser" 2>/dev/null || true
        browser=
    fi
}

end() {
    close
    rm -rf ${fresh:+"$fresh"} ${enrolling:+"$enrolling"}
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
rm -rf "$RUNTIME_DIRECTORY"/profile.* "$STATE_DIRECTORY"/enrolling.* # of a start that was killed
wait_for_server

if [ ! -d "$enrolled" ]; then
    enrolling=$(mktemp -d "$STATE_DIRECTORY/enrolling.XXXXXX")
    start "$enrolling" "$KIOSK_URL/kiosk/enrol"
    # The browser writes its cookies down every 30 seconds.
    until grep --quiet --text --fixed-strings "$cookie" "$enrolling/Default/Cookies" 2>/dev/null; do
        kill -0 "$browser" # or it was closed, and the next start asks again
        sleep 2
    done
    close
    # Its cookie, and the page for when the server is away; nothing else that was done meanwhile.
    mkdir -p "$enrolling/kept/Default"
    for part in Cookies "Service Worker" WebStorage; do
        if [ -e "$enrolling/Default/$part" ]; then
            cp -R "$enrolling/Default/$part" "$enrolling/kept/Default/$part"
        fi
    done
    mv "$enrolling/kept" "$enrolled"
    rm -rf "$enrolling"
    sync
fi

fresh=$(mktemp -d "$RUNTIME_DIRECTORY/profile.XXXXXX")
cp -R "$enrolled/." "$fresh"
start "$fresh" "$KIOSK_URL/kiosk/"
wait "$browser"
