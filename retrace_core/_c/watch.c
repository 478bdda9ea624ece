/* Watch: an audit hook that tells of what a recorded lane does past all boundaries. It is
   called for each audit event of the process (`id()`, `sys._getframe()` ...): what does not
   concern it must be passed over within a few nanoseconds. */
#include "watch.h"
#include <fcntl.h>
#include <string.h>

static PyObject *seen; /* told of each: seen(lane, event, arguments) */
static int installed;

static const char *const os_events[] = {
    "system", "exec", "posix_spawn", "spawn", "fork", "forkpty", "remove", "rename", "rmdir",
    "mkdir", "link", "symlink", "truncate", "chmod", "chown", "kill", "killpg", "utime", NULL,
};
static const char *const socket_events[] = {
    "connect", "bind", "sendto", "sendmsg", "getaddrinfo", "gethostbyname", "gethostbyaddr",
    "getnameinfo", NULL,
};

static int among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(name, *names)) return 1;
    return 0;
}

/* open(path, mode, flags): for writing? */
static int writes(PyObject *args)
{
    if (!PyTuple_Check(args) || PyTuple_GET_SIZE(args) < 3) return 0;
    PyObject *path = PyTuple_GET_ITEM(args, 0), *mode = PyTuple_GET_ITEM(args, 1);
    PyObject *flags = PyTuple_GET_ITEM(args, 2);
    if (PyLong_Check(path)) return 0; /* a descriptor; else text, bytes or a PathLike */
    if (PyUnicode_Check(mode)) {
        for (const char *letter = "wax+"; *letter; letter++)
            if (PyUnicode_FindChar(mode, (Py_UCS4)*letter, 0, PyUnicode_GET_LENGTH(mode), 1) >= 0)
                return 1;
        return 0;
    }
    if (!PyLong_Check(flags)) return 0;
    long bits = PyLong_AsLong(flags);
    if (bits == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    return (bits & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)) != 0;
}

static int concerns(const char *event, PyObject *args)
{
    switch (event[0]) {
    case 'o':
        if (!strcmp(event, "open")) return writes(args);
        return !strncmp(event, "os.", 3) && among(event + 3, os_events);
    case 's':
        if (!strncmp(event, "socket.", 7)) return among(event + 7, socket_events);
        return !strcmp(event, "subprocess.Popen") || !strcmp(event, "sqlite3.connect");
    case 'c':
        return !strcmp(event, "ctypes.dlopen") || !strcmp(event, "ctypes.dlsym");
    case 'p':
        return !strcmp(event, "pty.spawn");
    default:
        return 0;
    }
}

/* Tells of an event of a lane that records; 0, or -1 with an error set: an interrupt, since our
   own faults are caught in there. */
static int tell(const char *event, PyObject *args)
{
    Lane *lane = lane_current();
    if (!lane) return 0;
    int failed = 0;
    if (lane->mode == MODE_RECORD) {
        exempt_here++;
        PyObject *answer = PyObject_CallFunction(seen, "OsO", lane, event, args);
        exempt_here--;
        failed = !answer;
        Py_XDECREF(answer);
    }
    Py_DECREF(lane);
    return failed ? -1 : 0;
}

static int audit(const char *event, PyObject *args, void *unused)
{
    (void)unused;
    if (!armed || exempt_here || !seen || !args || !concerns(event, args)) return 0;
    return tell(event, args);
}

/* ---- what goes over sockets makes no audit event; a connection of a pool is opened once */

static int used(PyObject *connection)
{
    if (!armed || exempt_here || !seen) return 0;
    PyObject *args = PyTuple_Pack(1, connection);
    int failed = args ? tell("socket.traffic", args) : -1;
    Py_XDECREF(args);
    return failed;
}

enum { SEND, SENDALL, RECV, RECV_INTO, TLS_READ, TLS_WRITE, MEANS };
static PyCFunction originals[MEANS];

/* Two arguments or three: a function without keywords passes over the third. */
#define HOOK(K)                                                                               \
    static PyObject *hook_##K(PyObject *self, PyObject *args, PyObject *names)                \
    {                                                                                         \
        if (used(self)) return NULL;                                                          \
        return ((PyCFunctionWithKeywords)(void (*)(void))originals[K])(self, args, names);    \
    }
#define HOOK_PLAIN(K)                                                                         \
    static PyObject *hook_##K(PyObject *self, PyObject *argument)                             \
    {                                                                                         \
        if (used(self)) return NULL;                                                          \
        return originals[K](self, argument);                                                  \
    }
HOOK_PLAIN(SEND)
HOOK_PLAIN(SENDALL)
HOOK_PLAIN(RECV)
HOOK(RECV_INTO)
HOOK_PLAIN(TLS_READ)
HOOK_PLAIN(TLS_WRITE)

static const struct {
    int means;
    const char *module, *owner, *name;
    int flags;
    PyCFunction hook;
} rows[] = {
    {SEND, "_socket", "socket", "send", METH_VARARGS, hook_SEND},
    {SENDALL, "_socket", "socket", "sendall", METH_VARARGS, hook_SENDALL},
    {RECV, "_socket", "socket", "recv", METH_VARARGS, hook_RECV},
    {RECV_INTO, "_socket", "socket", "recv_into", METH_VARARGS | METH_KEYWORDS,
     (PyCFunction)(void (*)(void))hook_RECV_INTO},
    {TLS_READ, "_ssl", "_SSLSocket", "read", METH_VARARGS, hook_TLS_READ},
    {TLS_WRITE, "_ssl", "_SSLSocket", "write", METH_O, hook_TLS_WRITE},
};

static void exchange(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PyObject *module = PyImport_ImportModule(rows[i].module);
        PyObject *owner = module ? PyObject_GetAttrString(module, rows[i].owner) : NULL;
        PyObject *found = owner && PyType_Check(owner)
                              ? PyDict_GetItemString(((PyTypeObject *)owner)->tp_dict, rows[i].name)
                              : NULL;
        if (found && Py_IS_TYPE(found, &PyMethodDescr_Type)) {
            PyMethodDef *def = ((PyMethodDescrObject *)found)->d_method; /* static, never freed */
            if (def->ml_flags == rows[i].flags) {
                originals[rows[i].means] = def->ml_meth;
                def->ml_meth = rows[i].hook;
            }
        }
        PyErr_Clear();
        Py_XDECREF(owner);
        Py_XDECREF(module);
    }
}

static PyObject *watch(PyObject *module, PyObject *callable)
{
    (void)module;
    Py_XSETREF(seen, callable == Py_None ? NULL : Py_NewRef(callable));
    if (seen && !installed) {
        if (PySys_AddAuditHook(audit, NULL) < 0) return NULL;
        installed = 1;
        exchange();
    }
    Py_RETURN_NONE;
}

PyMethodDef watch_functions[] = {
    {"watch", watch, METH_O,
     "Tell callable(lane, event, arguments) of what passes all boundaries; None for nobody."},
    {NULL, NULL, 0, NULL},
};
