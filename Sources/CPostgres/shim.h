#ifndef MERIDIAN_CPOSTGRES_SHIM_H
#define MERIDIAN_CPOSTGRES_SHIM_H

// As in CLinux: structures such as fd_set must look alike in every module that includes them.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <libpq-fe.h>

#endif
