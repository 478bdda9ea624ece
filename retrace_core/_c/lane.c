#include "lane.h"
#include <stddef.h>
#include <string.h>
#include <structmember.h>
#include <time.h>

PyObject *lane_var;
int armed;
_Thread_local int exempt_here;
static _Thread_local PyObject *bound_parent, *bound_child;
static PyObject *on_error, *on_fault; /* what `Lane.call` tells of exceptions */

long long monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* ---- ScopeState */

static PyObject *state_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"limit_bytes", NULL};
    unsigned long long limit = 16ULL << 20;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|K", names, &limit)) return NULL;
    ScopeState *self = (ScopeState *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->limit = (size_t)limit;
    self->started_ns = monotonic_ns();
    return (PyObject *)self;
}

static void state_dealloc(ScopeState *self)
{
    PyMem_RawFree(self->sites);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *state_used_sites(ScopeState *self, PyObject *unused)
{
    (void)unused;
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < self->site_bytes * 8; i++) {
        if (!(self->sites[i >> 3] & (1 << (i & 7)))) continue;
        PyObject *number = PyLong_FromSize_t(i);
        if (!number || PyList_Append(list, number)) Py_CLEAR(list);
        Py_XDECREF(number);
    }
    return list;
}

static int state_saw(ScopeState *self, int site)
{
    size_t place = (size_t)site >> 3;
    if (place >= self->site_bytes) {
        size_t wanted = place + 16;
        unsigned char *sites = PyMem_RawRealloc(self->sites, wanted);
        if (!sites) { PyErr_NoMemory(); return -1; }
        memset(sites + self->site_bytes, 0, wanted - self->site_bytes);
        self->sites = sites;
        self->site_bytes = wanted;
    }
    self->sites[place] |= (unsigned char)(1 << (site & 7));
    return 0;
}

static PyMethodDef state_methods[] = {
    {"used_sites", (PyCFunction)state_used_sites, METH_NOARGS, "Return the call sites seen."},
    {NULL, NULL, 0, NULL},
};
static PyMemberDef state_members[] = {
    {"seq", T_LONGLONG, offsetof(ScopeState, seq), READONLY, NULL},
    {"size_bytes", T_PYSSIZET, offsetof(ScopeState, size), READONLY, NULL},
    {"limit_bytes", T_PYSSIZET, offsetof(ScopeState, limit), 0, NULL},
    {"started_ns", T_LONGLONG, offsetof(ScopeState, started_ns), READONLY, NULL},
    {"cut", T_BOOL, offsetof(ScopeState, cut), 0, NULL},
    {"tainted", T_BOOL, offsetof(ScopeState, tainted), 0, NULL},
    {"imports", T_BOOL, offsetof(ScopeState, imports), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};
PyTypeObject ScopeStateType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "retrace_core._native.ScopeState",
    .tp_basicsize = sizeof(ScopeState),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "What all lanes of a scope share: the order of completions, and the size.",
    .tp_new = state_new,
    .tp_dealloc = (destructor)state_dealloc,
    .tp_methods = state_methods,
    .tp_members = state_members,
};

/* ---- Lane */

static PyObject *lane_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    Lane *self = (Lane *)type->tp_alloc(type, 0);
    return (PyObject *)self;
}

static int lane_init(Lane *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"state", "mode", NULL};
    PyObject *state;
    int mode;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!i", names, &ScopeStateType, &state, &mode))
        return -1;
    Py_INCREF(state);
    Py_XSETREF(self->state, (ScopeState *)state);
    self->mode = mode;
    return 0;
}

static void lane_dealloc(Lane *self)
{
    Py_XDECREF(self->state);
    buffer_free(&self->buffer);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* Ends an event that began at `start`: counts it, or takes it back. */
static int lane_keep(Lane *lane, size_t start, int failed)
{
    ScopeState *state = lane->state;
    size_t added = lane->buffer.len - start;
    if (!failed && state->size + added > state->limit) {
        state->cut = 1;
        failed = 1;
    }
    if (failed) {
        lane->buffer.len = start;
        return -1;
    }
    if (lane->buffer.tainted) state->tainted = 1;
    state->size += added;
    lane->events++;
    return 0;
}

int lane_soft(Lane *lane, int kind, int site, PyObject *value, int naive)
{
    ScopeState *state = lane->state;
    if (!state || state->cut) return 0;
    Buffer *b = &lane->buffer;
    size_t start = b->len;
    int failed = put_byte(b, 0x93) || put_uint(b, (unsigned)kind) || put_uint(b, (unsigned)site) ||
                 (naive ? encode_naive_moment(b, value) : encode_value(b, value, 0)) ||
                 state_saw(state, site);
    lane_keep(lane, start, failed);
    return failed ? -1 : 0;
}

/* Appends a hard event; its number, 0 when it was refused, -1 with MemoryError set. */
static long long append(Lane *self, PyObject *kind, PyObject *key, long status, PyObject *value,
                        long long start_ns)
{
    ScopeState *state = self->state;
    if (self->mode != MODE_RECORD || !state || state->cut) return 0;
    long long end_ns = monotonic_ns();
    long long end_us = (end_ns - state->started_ns) / 1000;
    long long took_us = (end_ns - start_ns) / 1000;
    /* Encoded aside: Python code may run meanwhile, and record on this lane or clear it. */
    Buffer rest = {0};
    int failed = encode_value(&rest, kind, 0) || put_int(&rest, status) ||
                 encode_value(&rest, key, 0) || encode_value(&rest, value, 0) ||
                 put_int(&rest, end_us < 0 ? 0 : end_us) ||
                 put_int(&rest, took_us < 0 ? 0 : took_us);
    Buffer *b = &self->buffer;
    size_t start = b->len;
    long long seq = state->seq + 1;
    failed = failed || self->mode != MODE_RECORD || put_byte(b, 0x97) || put_int(b, seq) ||
             put_raw(b, rest.bytes, rest.len);
    if (rest.tainted) b->tainted = 1;
    buffer_free(&rest);
    if (lane_keep(self, start, failed)) return PyErr_Occurred() ? -1 : 0;
    state->seq = seq;
    return seq;
}

static PyObject *lane_record(Lane *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 5) {
        PyErr_SetString(PyExc_TypeError, "record(kind, key, status, value, start_ns)");
        return NULL;
    }
    long long start_ns = PyLong_AsLongLong(args[4]);
    long status = PyLong_AsLong(args[2]);
    if (PyErr_Occurred()) return NULL;
    long long seq = append(self, args[0], args[1], status, args[3], start_ns);
    return seq < 0 ? NULL : PyLong_FromLongLong(seq);
}

/* Hands the exception that is set to `handler(lane, kind, [key,] exception, [start_ns])`. */
static void hand_over(PyObject *handler, Lane *lane, PyObject *kind, PyObject *key,
                      long long start_ns)
{
    PyObject *type, *error, *trace, *answer = NULL;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    if (trace) PyException_SetTraceback(error, trace);
    if (key)
        answer = PyObject_CallFunction(handler, "OOOOL", lane, kind, key, error, start_ns);
    else
        answer = PyObject_CallFunction(handler, "OOO", lane, kind, error);
    if (key && answer) PyErr_Restore(type, error, trace);
    else {
        Py_XDECREF(type);
        Py_XDECREF(error);
        Py_XDECREF(trace);
    }
    Py_XDECREF(answer);
}

static PyObject *lane_call(Lane *self, PyObject *const *args, Py_ssize_t n)
{
    if (n < 4 || !on_error || !on_fault) {
        PyErr_SetString(PyExc_TypeError, "call(kind, key, encode, function, *arguments)");
        return NULL;
    }
    long long start_ns = monotonic_ns();
    self->busy++;
    PyObject *result = PyObject_Vectorcall(args[3], args + 4, (size_t)(n - 4), NULL);
    self->busy--;
    if (!result) {
        hand_over(on_error, self, args[0], args[1], start_ns);
        return NULL;
    }
    PyObject *value = args[2] == Py_None ? Py_NewRef(result) : PyObject_CallOneArg(args[2], result);
    if (!value || append(self, args[0], args[1], 0, value, start_ns) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_Exception)) Py_CLEAR(result); /* an interrupt */
        else {
            hand_over(on_fault, self, args[0], NULL, 0);
            if (PyErr_Occurred()) Py_CLEAR(result); /* the test suite asks for it */
        }
    }
    Py_XDECREF(value);
    return result;
}

static PyObject *lane_soft_py(Lane *self, PyObject *const *args, Py_ssize_t n)
{
    if (n != 3) {
        PyErr_SetString(PyExc_TypeError, "soft(kind, site, value)");
        return NULL;
    }
    int kind = (int)PyLong_AsLong(args[0]), site = (int)PyLong_AsLong(args[1]);
    if (PyErr_Occurred()) return NULL;
    if (kind < 0 || site < 0) {
        PyErr_SetString(PyExc_ValueError, "kind and site must not be negative");
        return NULL;
    }
    if (self->mode == MODE_RECORD && lane_soft(self, kind, site, args[2], 0) && PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *lane_data(Lane *self, PyObject *unused)
{
    (void)unused;
    return PyBytes_FromStringAndSize((char *)self->buffer.bytes, (Py_ssize_t)self->buffer.len);
}

static PyObject *lane_clear(Lane *self, PyObject *unused)
{
    (void)unused;
    self->mode = MODE_OFF;
    buffer_free(&self->buffer);
    Py_RETURN_NONE;
}

static PyObject *lane_serve(Lane *self, PyObject *args)
{
    (void)self;
    (void)args;
    PyErr_SetString(PyExc_NotImplementedError, "only a subclass can serve recorded answers");
    return NULL;
}

static PyMethodDef lane_methods[] = {
    {"record", (PyCFunction)(void (*)(void))lane_record, METH_FASTCALL,
     "Append a hard event; return its number, or 0 when it was refused."},
    {"call", (PyCFunction)(void (*)(void))lane_call, METH_FASTCALL,
     "Return what function(*arguments) returns, and append it, encoded, as a hard event."},
    {"soft", (PyCFunction)(void (*)(void))lane_soft_py, METH_FASTCALL, "Append a soft event."},
    {"data", (PyCFunction)lane_data, METH_NOARGS, "Return the events as bytes."},
    {"clear", (PyCFunction)lane_clear, METH_NOARGS, "Switch it off and free its events."},
    {"serve", (PyCFunction)lane_serve, METH_VARARGS, "Answer a hook on replay (override)."},
    {NULL, NULL, 0, NULL},
};
static PyMemberDef lane_members[] = {
    {"mode", T_INT, offsetof(Lane, mode), 0, NULL},
    {"busy", T_INT, offsetof(Lane, busy), 0, NULL},
    {"events", T_LONG, offsetof(Lane, events), READONLY, NULL},
    {"state", T_OBJECT_EX, offsetof(Lane, state), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
PyTypeObject LaneType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "retrace_core._native.Lane",
    .tp_basicsize = sizeof(Lane),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "The ordered events of one thread or task, encoded as they are appended.",
    .tp_new = lane_new,
    .tp_init = (initproc)lane_init,
    .tp_dealloc = (destructor)lane_dealloc,
    .tp_methods = lane_methods,
    .tp_members = lane_members,
};

/* ---- the lane of here and now */

Lane *lane_current(void)
{
    if (!armed || exempt_here) return NULL;
    PyObject *found = NULL;
    if (PyContextVar_Get(lane_var, NULL, &found) < 0) {
        PyErr_Clear();
        return NULL;
    }
    if (!found) return NULL;
    if (found == bound_parent && bound_child) {
        Py_INCREF(bound_child);
        Py_SETREF(found, bound_child);
    }
    if (found != Py_None && PyObject_TypeCheck(found, &LaneType)) {
        Lane *lane = (Lane *)found;
        if ((lane->mode == MODE_RECORD || lane->mode == MODE_REPLAY) && !lane->busy) return lane;
    }
    Py_DECREF(found);
    return NULL;
}

static PyObject *current(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    Lane *lane = lane_current();
    if (lane) return (PyObject *)lane;
    Py_RETURN_NONE;
}

static PyObject *arm(PyObject *module, PyObject *delta)
{
    (void)module;
    long by = PyLong_AsLong(delta);
    if (PyErr_Occurred()) return NULL;
    armed += (int)by;
    return PyLong_FromLong(armed);
}

static PyObject *exempt(PyObject *module, PyObject *delta)
{
    (void)module;
    long by = PyLong_AsLong(delta);
    if (PyErr_Occurred()) return NULL;
    exempt_here += (int)by;
    return PyLong_FromLong(exempt_here);
}

static PyObject *bind_thread(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *parent, *child;
    if (!PyArg_ParseTuple(args, "OO", &parent, &child)) return NULL;
    PyObject *previous = PyTuple_Pack(2, bound_parent ? bound_parent : Py_None,
                                      bound_child ? bound_child : Py_None);
    if (!previous) return NULL;
    Py_XINCREF(parent == Py_None ? NULL : parent);
    Py_XINCREF(child == Py_None ? NULL : child);
    Py_XSETREF(bound_parent, parent == Py_None ? NULL : parent);
    Py_XSETREF(bound_child, child == Py_None ? NULL : child);
    return previous;
}

static PyObject *set_call_handlers(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *error, *fault;
    if (!PyArg_ParseTuple(args, "OO", &error, &fault)) return NULL;
    Py_INCREF(error);
    Py_XSETREF(on_error, error);
    Py_INCREF(fault);
    Py_XSETREF(on_fault, fault);
    Py_RETURN_NONE;
}

static PyObject *now_ns(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyLong_FromLongLong(monotonic_ns());
}

static PyObject *encode(PyObject *module, PyObject *value)
{
    (void)module;
    Buffer b = {0};
    PyObject *bytes = NULL;
    if (!encode_value(&b, value, 0))
        bytes = PyBytes_FromStringAndSize((char *)b.bytes, (Py_ssize_t)b.len);
    buffer_free(&b);
    return bytes;
}

PyMethodDef lane_functions[] = {
    {"current", current, METH_NOARGS, "Return the lane to record or replay on, or None."},
    {"arm", arm, METH_O, "Change the number of open scopes; return it."},
    {"exempt", exempt, METH_O, "Change this thread's exemption count; return it."},
    {"bind_thread", bind_thread, METH_VARARGS, "Let one lane mean another on this thread."},
    {"set_call_handlers", set_call_handlers, METH_VARARGS,
     "Set what `Lane.call` tells: error(lane, kind, key, error, start_ns), fault(lane, kind, fault)."},
    {"now_ns", now_ns, METH_NOARGS, "Return the monotonic clock, never hooked."},
    {"encode", encode, METH_O, "Return a value as MessagePack with our extension types."},
    {"set_encode_fallback", encoder_set_fallback, METH_O, "Set what encodes unknown types."},
    {NULL, NULL, 0, NULL},
};

int lanes_init(PyObject *module)
{
    lane_var = PyContextVar_New("retrace_lane", Py_None);
    if (!lane_var || PyType_Ready(&ScopeStateType) || PyType_Ready(&LaneType)) return -1;
    if (PyModule_AddObjectRef(module, "LANE", lane_var)) return -1;
    if (PyModule_AddObjectRef(module, "ScopeState", (PyObject *)&ScopeStateType)) return -1;
    if (PyModule_AddObjectRef(module, "Lane", (PyObject *)&LaneType)) return -1;
    return PyModule_AddIntConstant(module, "OFF", MODE_OFF) ||
           PyModule_AddIntConstant(module, "RECORD", MODE_RECORD) ||
           PyModule_AddIntConstant(module, "REPLAY", MODE_REPLAY) ||
           PyModule_AddIntConstant(module, "INFRA", MODE_INFRA);
}
