#ifndef RETRACE_HASH_TYPES_H
#define RETRACE_HASH_TYPES_H

#include "lane.h"

extern PyMethodDef hash_type_functions[];

#endif
