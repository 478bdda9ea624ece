/* Lane: the ordered events of one thread or task, as bytes; the scope's shared counters. */
#ifndef RETRACE_LANE_H
#define RETRACE_LANE_H

#include "encoder.h"

enum { MODE_OFF, MODE_RECORD, MODE_REPLAY, MODE_INFRA };

typedef struct {
    PyObject_HEAD
    long long seq;        /* number of the last completed hard event */
    long long started_ns; /* monotonic */
    size_t size, limit;   /* bytes in all lanes */
    char cut, tainted;
    char imports;         /* whether what modules ask as they are imported is of this scope */
    unsigned char *sites; /* one bit for each call site seen */
    size_t site_bytes;
} ScopeState;

typedef struct {
    PyObject_HEAD
    ScopeState *state;
    int mode, busy;
    long events;
    Buffer buffer;
} Lane;

extern PyTypeObject ScopeStateType, LaneType;
extern PyObject *lane_var; /* ContextVar: the current lane */
extern int armed;          /* number of open scopes in the process */
extern _Thread_local int exempt_here;

long long monotonic_ns(void);
Lane *lane_current(void); /* new reference, or NULL without an error */
int lane_soft(Lane *lane, int kind, int site, PyObject *value, int naive);
int lanes_init(PyObject *module);
extern PyMethodDef lane_functions[];

#endif
