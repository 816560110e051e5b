# common.sh - what scripts/quickstart and scripts/check share: the packages,
# and becoming root.  Sourced, not run.
#
# The caller has set: top (the checkout), program (its name for messages),
# and calls `set -eu`.
#
# SPDX-License-Identifier: BSD-2-Clause

policy=/usr/sbin/policy-rc.d
policy_saved=/usr/sbin/policy-rc.d.before-sekimori
policy_mark="made by Sekimori's scripts"

say() {
	printf '%s: %s\n' "$program" "$*"
}

# Packages for the purposes given, one a line.
packages_for() {
	for purpose in "$@"; do
		sed -n "s/^$purpose //p" "$top/scripts/packages"
	done
}

# Those of them that are not installed.
packages_missing() {
	for package in $(packages_for "$@"); do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$package" \
		    2>/dev/null) || state=
		[ "$state" = installed ] || echo "$package"
	done
}

# Run the caller again as root: Postfix can be started by nobody else.
# become_root PURPOSES -- ARGUMENTS
become_root() {
	[ "$(id -u)" -ne 0 ] || return 0
	purposes=
	while [ "$1" != -- ]; do
		purposes="$purposes $1"
		shift
	done
	shift
	if command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null ||
	    { [ -t 0 ] && sudo -v; }; }; then
		exec sudo CORPORA="${CORPORA:-}" "$top/scripts/$program" "$@"
	fi
	say "needs root, for a private Postfix; there is no sudo for you." >&2
	# shellcheck disable=SC2086
	missing=$(packages_missing $purposes)
	if [ -n "$missing" ]; then
		say "also missing; to install as root:" >&2
		echo "apt-get install --no-install-recommends" $missing >&2
	fi
	exit 77
}

# Commands that write into the checkout run as the user who owns it.
as_owner() {
	if [ -n "${SUDO_UID:-}" ] && [ "$(id -u)" -eq 0 ] &&
	    [ "$(stat -c %u "$top")" = "$SUDO_UID" ]; then
		sudo -u "#$SUDO_UID" -- "$@"
	else
		"$@"
	fi
}

# While packages are installed no daemon may be started; what runs already
# is left alone.  A policy-rc.d of the machine's own comes back afterwards.
policy_put() {
	if [ -e "$policy" ] || [ -L "$policy" ]; then
		mv "$policy" "$policy_saved"
	fi
	cat >"$policy" <<-EOF
		#!/bin/sh
		# $policy_mark, process $$: no daemon starts now
		exit 101
	EOF
	chmod 755 "$policy"
}

policy_restore() {
	if grep -qsF "$policy_mark" "$policy"; then
		rm -f "$policy"
	fi
	if [ -e "$policy_saved" ] || [ -L "$policy_saved" ]; then
		mv "$policy_saved" "$policy"
	fi
}

# One of ours whose process was killed before it could put things back.
policy_restore_stale() {
	owner=$(sed -n "s/.*$policy_mark, process \([0-9]*\):.*/\1/p" "$policy" \
	    2>/dev/null) || owner=
	if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
		policy_restore
	fi
}

apt_install() {
	DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get install \
	    -y -q --no-install-recommends --no-remove \
	    -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold \
	    -o APT::Sandbox::User=root "$@" >"$apt_log" 2>&1 </dev/null
}

# Install what is missing for the purposes given.
install_packages() {
	# One at a time: two would take each other's policy-rc.d for the machine's.
	exec 9>/run/sekimori-packages.lock
	flock 9
	policy_restore_stale
	missing=$(packages_missing "$@")
	[ -n "$missing" ] || { exec 9>&-; return 0; }
	say "installing $(echo "$missing" | wc -l) packages:" $missing
	apt_log=$(mktemp)
	trap policy_restore EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	policy_put
	# Package lists may be missing or stale.
	if ! apt_install $missing; then
		apt-get update -q >>"$apt_log" 2>&1 </dev/null || :
		apt_install $missing || {
			tail -n 15 "$apt_log" >&2
			say "the packages could not be installed" >&2
			say "(log: $apt_log)" >&2
			exit 1
		}
	fi
	policy_restore
	trap - EXIT INT TERM HUP
	rm -f "$apt_log"
	exec 9>&-
}

# configure and make in a directory of their own.
# build_in DIRECTORY SOURCE LOG [configure arguments]
build_in() (
	directory=$1 source=$2 log=$3
	shift 3
	mkdir -p "$directory"
	cd "$directory"
	if [ ! -f Makefile ] || [ "$source/configure" -nt config.status ]; then
		"$source/configure" -q "$@" >>"$log" 2>&1 || return 1
	fi
	make -j"$(nproc)" >>"$log" 2>&1
)
