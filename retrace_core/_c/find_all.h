/* Find all: where any of many texts stand in a piece of memory, in one pass. */
#ifndef RETRACE_FIND_ALL_H
#define RETRACE_FIND_ALL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyMethodDef find_all_functions[];

#endif
