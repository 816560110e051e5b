#!/bin/sh
# Makes ./configure from configure.ac; needs autoconf, automake, pkg-config.
# SPDX-License-Identifier: BSD-2-Clause
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force --warnings=all,no-obsolete
