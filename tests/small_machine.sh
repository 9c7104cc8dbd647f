#!/usr/bin/env bash
# Runs a command as in a small container: one core, no word about caches, no display, and half of
# the memory. Linux only; the memory is limited where control groups may be made (mostly: by root).
set -euo pipefail

if [ "${1-}" != --inside ]; then
    exec unshare --mount --map-root-user bash "$0" --inside "$@"
fi
shift
mount --make-rprivate /
for folder in /sys/devices/system/cpu/cpu*/cache; do
    mount -t tmpfs none "$folder"
done

half=$(($(awk '/^MemTotal/ {print $2}' /proc/meminfo) * 1024 / 2))
if [ -d /sys/fs/cgroup/memory ]; then
    root=/sys/fs/cgroup/memory limit=memory.limit_in_bytes
else
    root=/sys/fs/cgroup limit=memory.max
fi
group=$root/small_machine
if mkdir -p "$group" 2>/dev/null && echo "$half" 2>/dev/null >"$group/$limit"; then
    echo $$ >"$group/cgroup.procs"
    mount --bind "$group" "$root" # what a container sees as its own
else
    echo "The memory is not limited: no control group can be made here."
fi

unset DISPLAY WAYLAND_DISPLAY
exec taskset -c 0 "$@"
