/* Lane hook: stands in the place of a hooked function, and calls the function itself at once where
   there is no lane, without a frame of Python's in between. In a lane it calls the hook. */
#define PY_SSIZE_T_CLEAN
#include "lane_hook.h"

#include <stddef.h>
#include <structmember.h>

#include "lane.h"

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *original, *hook, *names, *weak;
    int anywhere; /* whether the hook is called as soon as any request is recorded */
} LaneHook;

static int passes(const LaneHook *self)
{
    if (!armed) return 1;
    if (self->anywhere) return 0;
    Lane *lane = lane_current();
    if (!lane) return 1;
    Py_DECREF(lane);
    return 0;
}

static PyObject *lane_hook_call(PyObject *object, PyObject *const *args, size_t nargs, PyObject *names)
{
    LaneHook *self = (LaneHook *)object;
    return PyObject_Vectorcall(passes(self) ? self->original : self->hook, args, nargs, names);
}

static PyObject *lane_hook_get(PyObject *self, PyObject *of, PyObject *type)
{
    (void)type;
    if (!of || of == Py_None) return Py_NewRef(self);
    return PyMethod_New(self, of);
}

static PyObject *lane_hook_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<hooked %R>", ((LaneHook *)self)->original);
}

/* As a function is pickled, and copied: by its name. */
static PyObject *lane_hook_reduce(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyObject_GetAttrString(self, "__qualname__");
}

static int lane_hook_traverse(PyObject *object, visitproc visit, void *arg)
{
    LaneHook *self = (LaneHook *)object;
    Py_VISIT(self->original);
    Py_VISIT(self->hook);
    Py_VISIT(self->names);
    return 0;
}

static int lane_hook_clear(PyObject *object)
{
    LaneHook *self = (LaneHook *)object;
    Py_CLEAR(self->original);
    Py_CLEAR(self->hook);
    Py_CLEAR(self->names);
    return 0;
}

static void lane_hook_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    if (((LaneHook *)object)->weak) PyObject_ClearWeakRefs(object);
    lane_hook_clear(object);
    Py_TYPE(object)->tp_free(object);
}

static PyMethodDef lane_hook_methods[] = {
    {"__reduce__", lane_hook_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static PyMemberDef lane_hook_members[] = {
    {"__dict__", T_OBJECT, offsetof(LaneHook, names), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyTypeObject LaneHookType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "retrace_core._native.LaneHook",
    .tp_basicsize = sizeof(LaneHook),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_vectorcall_offset = offsetof(LaneHook, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_descr_get = lane_hook_get,
    .tp_repr = lane_hook_repr,
    .tp_traverse = lane_hook_traverse,
    .tp_clear = lane_hook_clear,
    .tp_dealloc = lane_hook_dealloc,
    .tp_free = PyObject_GC_Del,
    .tp_dictoffset = offsetof(LaneHook, names),
    .tp_weaklistoffset = offsetof(LaneHook, weak),
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_methods = lane_hook_methods,
    .tp_members = lane_hook_members,
};

static PyObject *lane_hook(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *original, *hook;
    int anywhere = 0;
    if (!PyArg_ParseTuple(args, "OO|p", &original, &hook, &anywhere)) return NULL;
    PyObject *names = PyDict_New();
    if (!names) return NULL;
    LaneHook *self = PyObject_GC_New(LaneHook, &LaneHookType);
    if (!self) {
        Py_DECREF(names);
        return NULL;
    }
    self->vectorcall = lane_hook_call;
    self->original = Py_NewRef(original);
    self->hook = Py_NewRef(hook);
    self->names = names;
    self->weak = NULL;
    self->anywhere = anywhere;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static PyMethodDef functions[] = {
    {"lane_hook", lane_hook, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int lane_hook_init(PyObject *module)
{
    return PyType_Ready(&LaneHookType) || PyModule_AddFunctions(module, functions);
}
