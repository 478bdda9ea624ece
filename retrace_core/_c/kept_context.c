/* Kept context: CPython 3.11 collects garbage from within an allocation. One that
   `ContextVar.set` or `reset` makes may so run a finalizer that sets a context variable itself;
   the mapping that the outer call still reads is freed by that. Its variables are lost then, or
   the process dies. Our lanes set a variable often, so the mapping is kept here meanwhile.
   And a variable remembers, without a reference, what the finalizer has read or set; that goes with
   the mapping which the outer call then replaces. So all are made to look again.
   From 3.12 on nothing is collected there. */
#define PY_SSIZE_T_CLEAN
#include "kept_context.h"

#include <Python.h>

#if PY_VERSION_HEX < 0x030C0000

/* As in CPython's Include/internal/pycore_context.h; it is the same in all of 3.11. */
typedef struct {
    PyObject_HEAD
    PyObject *previous;
    PyObject *variables;
} Context;

enum { MOST = 16 }; /* collections within one call; few allocate as often */

static PyObject *kept[MOST];
static int at;

static PyObject *variables(void)
{
    PyObject *context = PyThreadState_Get()->context;
    return context ? ((Context *)context)->variables : NULL;
}

void context_keep(void)
{
    PyObject *now = variables();
    Py_XINCREF(now);
    Py_XSETREF(kept[at], now);
}

/* What a finalizer has replaced is still read, until the allocation is over: it stays. */
void context_release(void)
{
    if (kept[at] == variables())
        Py_CLEAR(kept[at]);
    else
        at = (at + 1) % MOST;
    PyThreadState_Get()->context_ver++;
}

#else

void context_keep(void) {}
void context_release(void) {}

#endif
