/* Texts at: in which text of a MessagePack stream a place lies, and what that text is there. */
#ifndef RETRACE_TEXTS_AT_H
#define RETRACE_TEXTS_AT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyMethodDef texts_at_functions[];

#endif
