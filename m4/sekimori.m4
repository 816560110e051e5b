# Helpers of configure.ac.
# SPDX-License-Identifier: BSD-2-Clause

# SK_CHECK_CFLAG(FLAG, VARIABLE): add FLAG to VARIABLE if the compiler knows it
AC_DEFUN([SK_CHECK_CFLAG], [
  AC_MSG_CHECKING([whether $CC knows $1])
  sk_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -Werror $1"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); $2="[$]$2 $1"], [AC_MSG_RESULT([no])])
  CFLAGS=$sk_save_CFLAGS
])

# SK_CHECK_LDFLAG(FLAG, VARIABLE): the same for the linker
AC_DEFUN([SK_CHECK_LDFLAG], [
  AC_MSG_CHECKING([whether the linker knows $1])
  sk_save_LDFLAGS=$LDFLAGS
  sk_save_CFLAGS=$CFLAGS
  LDFLAGS="$LDFLAGS $1"
  CFLAGS="$CFLAGS -fPIE"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); $2="[$]$2 $1"], [AC_MSG_RESULT([no])])
  LDFLAGS=$sk_save_LDFLAGS
  CFLAGS=$sk_save_CFLAGS
])

# SK_REQUIRE_PKG(VARIABLE, MODULES, DEBIAN PACKAGE)
AC_DEFUN([SK_REQUIRE_PKG], [
  PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$2 is missing: apt-get install $3])])
])

# SK_REQUIRE_LIB(VARIABLE, HEADER, LIBRARY, FUNCTION, DEBIAN PACKAGE):
# for libraries without a pkg-config file
AC_DEFUN([SK_REQUIRE_LIB], [
  AC_CHECK_HEADER([$2], [],
    [AC_MSG_ERROR([<$2> is missing: apt-get install $5])],
    [#include <sys/types.h>
#include <netinet/in.h>
#include <arpa/nameser.h>])
  AC_CHECK_LIB([$3], [$4], [$1_LIBS="-l$3"],
    [AC_MSG_ERROR([lib$3 is missing: apt-get install $5])], [-lpthread])
  AC_SUBST([$1_LIBS])
])

# SK_OPTIONAL_PKG(VARIABLE, MODULES, WHAT FOR)
AC_DEFUN([SK_OPTIONAL_PKG], [
  PKG_CHECK_MODULES([$1], [$2], [
    sk_with_$1=yes
    AC_DEFINE([HAVE_$1], [1], [Have $2: $3])
  ], [sk_with_$1=no])
])
