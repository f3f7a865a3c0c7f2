#ifndef MERIDIAN_CPOSTGRES_SHIM_H
#define MERIDIAN_CPOSTGRES_SHIM_H

#include <libpq-fe.h>

#endif
