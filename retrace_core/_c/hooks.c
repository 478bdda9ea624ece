/* Clock and entropy hooks: the C function pointer in a PyMethodDef is exchanged, so that
   every reference to the function is covered, whenever it was taken. */
#include "hooks.h"
#include "kept_context.h"
#include <string.h>

#define Py_BUILD_CORE 1
#include "internal/pycore_frame.h"
#undef Py_BUILD_CORE

typedef PyObject *(*WithKeywords)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);

static PyObject *policy, *importer, *find_and_load, *bootstrap, *gc_callbacks, *gc_hook;
static Py_ssize_t extra_index = -1;

/* ---- who asks: the immediate caller's code object, decided once and kept in co_extra */

#if PY_VERSION_HEX >= 0x030D0000
#define code_of(FRAME) ((PyCodeObject *)(FRAME)->f_executable)
#define top_of(THREAD) ((THREAD)->current_frame)
#define has_code(FRAME) \
    ((FRAME)->owner != FRAME_OWNED_BY_CSTACK && PyCode_Check((FRAME)->f_executable))
#elif PY_VERSION_HEX >= 0x030C0000
#define code_of(FRAME) ((FRAME)->f_code)
#define top_of(THREAD) ((THREAD)->cframe->current_frame)
#define has_code(FRAME) ((FRAME)->owner != FRAME_OWNED_BY_CSTACK)
#else
#define code_of(FRAME) ((FRAME)->f_code)
#define top_of(THREAD) ((THREAD)->cframe->current_frame)
#define has_code(FRAME) 1
#endif

static PyCodeObject *calling_code(void)
{
    struct _PyInterpreterFrame *frame = top_of(PyThreadState_Get());
    while (frame && !has_code(frame)) frame = frame->previous;
    return frame ? code_of(frame) : NULL;
}

#if PY_VERSION_HEX >= 0x030C0000
#define get_extra PyUnstable_Code_GetExtra
#define set_extra PyUnstable_Code_SetExtra
#define request_extra PyUnstable_Eval_RequestCodeExtraIndex
#else
#define get_extra _PyCode_GetExtra
#define set_extra _PyCode_SetExtra
#define request_extra _PyEval_RequestCodeExtraIndex
#endif

/* What the policy says of code that reads for whoever calls it. */
#define ON_BEHALF -2
#define FOR_CALLER -3 /* a reading is that of whoever calls it, as if that had made it itself */
#define KEPT_FROM 4 /* what is kept in co_extra is never NULL */

static int ask_policy(PyCodeObject *code, PyCodeObject *caller)
{
    exempt_here++;
    PyObject *answer = PyObject_CallFunctionObjArgs(policy, code, caller, NULL);
    long site = answer ? PyLong_AsLong(answer) : -1;
    Py_XDECREF(answer);
    exempt_here--;
    if (PyErr_Occurred()) { PyErr_Clear(); site = -1; }
    return site < FOR_CALLER || site > 1 << 24 ? -1 : (int)site;
}

static int known_site(PyCodeObject *code)
{
    void *known = NULL;
    if (!get_extra((PyObject *)code, extra_index, &known) && known)
        return (int)(intptr_t)known - KEPT_FROM;
    int site = ask_policy(code, NULL);
    set_extra((PyObject *)code, extra_index, (void *)(intptr_t)(site + KEPT_FROM));
    return site;
}

/* The caller on whose behalf the code of the innermost frame reads. The latest pair is kept,
   for who shuffles or samples; the policy holds the references. */
static PyCodeObject *latest, *latest_caller;
static int latest_site;

static int site_of_caller(PyCodeObject *code)
{
    struct _PyInterpreterFrame *frame = top_of(PyThreadState_Get());
    while (frame && (!has_code(frame) || known_site(code_of(frame)) == ON_BEHALF))
        frame = frame->previous;
    if (!frame) return -1;
    if (code == latest && code_of(frame) == latest_caller) return latest_site;
    int site = ask_policy(code, code_of(frame));
    if (site < 0) return -1;
    latest = code;
    latest_caller = code_of(frame);
    return latest_site = site;
}

/* Site number, or -1 when what this code reads is nobody's event. */
static int site_of(PyCodeObject *code)
{
    if (!code || !policy || extra_index < 0) return 0;
    int site = known_site(code);
    if (site == FOR_CALLER) {
        struct _PyInterpreterFrame *frame = top_of(PyThreadState_Get());
        while (frame && (!has_code(frame) || known_site(code_of(frame)) == FOR_CALLER))
            frame = frame->previous;
        if (!frame) return -1;
        site = known_site(code_of(frame));
        return site < 0 ? -1 : site;
    }
    return site == ON_BEHALF ? site_of_caller(code) : site;
}

/* ---- the table */

enum {
    K_TIME, K_TIME_NS, K_MONOTONIC, K_MONOTONIC_NS, K_PERF, K_PERF_NS, K_PROCESS, K_PROCESS_NS,
    K_THREAD, K_THREAD_NS, K_CLOCK, K_CLOCK_NS, K_LOCALTIME, K_GMTIME, K_STRFTIME, K_CTIME,
    K_ASCTIME, K_SLEEP, K_NOW, K_UTCNOW, K_TODAY, K_URANDOM, K_GETRANDOM, K_RAND_BYTES,
    K_RANDOM, K_GETRANDBITS, K_UUID1, K_GETPID, K_GETPPID, K_HOSTNAME, K_UNAME, KINDS,
    /* No events of what is asked outside; but who got a lock first must be so again. */
    LOCK_ACQUIRE = KINDS, LOCK_ENTER, RLOCK_ACQUIRE, RLOCK_ENTER,
    /* What is hashed may be masked; the digest comes from the recording then. */
    HASH_NEW, HASH_MD5, HASH_SHA1, HASH_SHA224, HASH_SHA256, HASH_SHA384, HASH_SHA512,
    HASH_SHA3_224, HASH_SHA3_256, HASH_SHA3_384, HASH_SHA3_512, ALL_KINDS
};

static const char *const kind_names[ALL_KINDS] = {
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
    "time.perf_counter_ns", "time.process_time", "time.process_time_ns", "time.thread_time",
    "time.thread_time_ns", "time.clock_gettime", "time.clock_gettime_ns", "time.localtime",
    "time.gmtime", "time.strftime", "time.ctime", "time.asctime", "time.sleep", "datetime.now",
    "datetime.utcnow", "date.today", "os.urandom", "os.getrandom", "ssl.RAND_bytes",
    "random.random", "random.getrandbits", "uuid.uuid1", "os.getpid", "os.getppid",
    "socket.gethostname", "os.uname", "Lock.acquire", "Lock.__enter__", "RLock.acquire",
    "RLock.__enter__", "hashlib.new", "hashlib.md5", "hashlib.sha1", "hashlib.sha224",
    "hashlib.sha256", "hashlib.sha384", "hashlib.sha512",
    "hashlib.sha3_224", "hashlib.sha3_256", "hashlib.sha3_384", "hashlib.sha3_512",
};

static PyCFunction originals[ALL_KINDS];

/* The exception that is set, taken off; put_back sets it again. */
static PyObject *take_error(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (value && trace) PyException_SetTraceback(value, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return value;
#endif
}

static void put_back(PyObject *error)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error);
#else
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(error)), error, PyException_GetTraceback(error));
#endif
}

/* Runs the original, with whatever clocks it reads itself silent, and appends what came. */
static PyObject *note(int kind, Lane *lane, int site, PyObject *result)
{
    if (!result) {
        PyObject *error = take_error();
        if (error && lane_soft(lane, kind, site, error, 0)) PyErr_Clear();
        if (error) put_back(error);
    }
    if (result) {
        int naive = kind == K_NOW || kind == K_UTCNOW || kind == K_TODAY;
        PyObject *value = result;
        PyObject *list = NULL;
        if (kind == K_LOCALTIME || kind == K_GMTIME || kind == K_UNAME) {
            Py_ssize_t n = kind == K_UNAME ? 5 : 11;
            value = list = PyList_New(n);
            for (Py_ssize_t i = 0; list && i < n; i++)
                PyList_SET_ITEM(list, i, Py_NewRef(PyStructSequence_GetItem(result, i)));
        }
        if (!value || lane_soft(lane, kind, site, value, naive)) {
            PyErr_Clear(); /* out of memory for the event, not for the application */
            lane->state->cut = 1;
        }
        Py_XDECREF(list);
    }
    Py_DECREF(lane);
    return result;
}

static PyObject *serve(int kind, Lane *lane, PyCodeObject *code, PyObject *args)
{
    PyObject *answer = NULL;
    if (args)
        answer = PyObject_CallMethod((PyObject *)lane, "serve", "iOO", kind,
                                     code ? (PyObject *)code : Py_None, args);
    Py_XDECREF(args);
    Py_DECREF(lane);
    return answer;
}

/* The lane to use, or NULL; steals nothing, gives a reference. */
static inline Lane *enter(int *site, PyCodeObject **code)
{
    if (!armed || exempt_here) return NULL;
    Lane *lane = lane_current();
    if (!lane) return NULL;
    *code = calling_code();
    *site = site_of(*code);
    if (*site >= 0) return lane;
    Py_DECREF(lane);
    return NULL;
}

Lane *lane_asking(void)
{
    int site;
    PyCodeObject *code;
    Lane *lane = enter(&site, &code);
    if (lane && Py_IS_TYPE(lane, &LaneType)) Py_CLEAR(lane); /* of no scope */
    return lane;
}

/* A class method's class goes first among the arguments that replay sees. */
static PyObject *packed(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    Py_ssize_t first = self && PyType_Check(self) ? 1 : 0;
    PyObject *tuple = PyTuple_New(n + first);
    if (!tuple) return NULL;
    if (first) PyTuple_SET_ITEM(tuple, 0, Py_NewRef(self));
    for (Py_ssize_t i = 0; i < n; i++) PyTuple_SET_ITEM(tuple, i + first, Py_NewRef(args[i]));
    return tuple;
}

static PyObject *cross_plain(int kind, PyObject *self, PyObject *argument, Lane *lane, int site,
                             PyCodeObject *code, Py_ssize_t n)
{
    if (lane->mode == MODE_REPLAY) return serve(kind, lane, code, packed(self, &argument, n));
    exempt_here++;
    PyObject *result = originals[kind](self, argument);
    exempt_here--;
    return note(kind, lane, site, result);
}

#define HOOK_PLAIN(K, COUNT)                                                                  \
    static PyObject *hook_##K(PyObject *self, PyObject *argument)                             \
    {                                                                                         \
        int site;                                                                             \
        PyCodeObject *code;                                                                   \
        Lane *lane = enter(&site, &code);                                                     \
        if (!lane) return originals[K](self, argument);                                       \
        return cross_plain(K, self, argument, lane, site, code, COUNT);                       \
    }
#define HOOK_NOARGS(K) HOOK_PLAIN(K, 0)
#define HOOK_ONE(K) HOOK_PLAIN(K, 1)

/* A sleep is a call, and takes its turn: other threads run on meanwhile. It is not silent
   inside: signal handlers run in it. */
static PyObject *hook_K_SLEEP(PyObject *self, PyObject *argument)
{
    int site;
    PyCodeObject *code;
    Lane *lane = enter(&site, &code);
    if (!lane) return originals[K_SLEEP](self, argument);
    if (lane->mode == MODE_REPLAY) return serve(K_SLEEP, lane, code, packed(NULL, &argument, 1));
    long long start_ns = monotonic_ns();
    PyObject *result = originals[K_SLEEP](self, argument);
    if (Py_IS_TYPE(lane, &LaneType)) { /* of no scope */
        Py_DECREF(lane);
        return result;
    }
    PyObject *error = result ? NULL : take_error();
    PyObject *done = PyObject_CallMethod((PyObject *)lane, "slept", "OOL", argument,
                                         error ? error : Py_None, start_ns);
    if (!done) { PyErr_Clear(); lane->state->cut = 1; }
    Py_XDECREF(done);
    if (error) put_back(error);
    Py_DECREF(lane);
    return result;
}

/* `live` is the number of arguments with which the moment is the caller's, and not ours. */
static PyObject *cross_varargs(int kind, PyObject *self, PyObject *args, Py_ssize_t live)
{
    int site;
    PyCodeObject *code;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    Lane *lane = NULL;
    if (live < 0 || n < live || (n == live && PyTuple_GET_ITEM(args, live - 1) == Py_None))
        lane = enter(&site, &code);
    if (!lane) return originals[kind](self, args);
    if (lane->mode == MODE_REPLAY) return serve(kind, lane, code, Py_NewRef(args));
    exempt_here++;
    PyObject *result = originals[kind](self, args);
    exempt_here--;
    return note(kind, lane, site, result);
}
#define HOOK_VARARGS(K, NAME, LIVE)                                                           \
    static PyObject *hook_##NAME(PyObject *self, PyObject *args)                              \
    {                                                                                         \
        return cross_varargs(K, self, args, LIVE);                                            \
    }

static PyObject *cross_keywords(int kind, PyObject *self, PyObject *const *args, Py_ssize_t n,
                                PyObject *names)
{
    int site;
    PyCodeObject *code;
    Lane *lane = enter(&site, &code);
    WithKeywords original = (WithKeywords)(void (*)(void))originals[kind];
    if (!lane) return original(self, args, n, names);
    if (lane->mode == MODE_REPLAY) {
        Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
        return serve(kind, lane, code, packed(self, args, n + named));
    }
    exempt_here++;
    PyObject *result = original(self, args, n, names);
    exempt_here--;
    return note(kind, lane, site, result);
}
#define HOOK_KEYWORDS(K)                                                                      \
    static PyObject *hook_##K(PyObject *self, PyObject *const *args, Py_ssize_t n,            \
                              PyObject *names)                                                \
    {                                                                                         \
        return cross_keywords(K, self, args, n, names);                                       \
    }

HOOK_NOARGS(K_TIME)
HOOK_NOARGS(K_TIME_NS)
HOOK_NOARGS(K_MONOTONIC)
HOOK_NOARGS(K_MONOTONIC_NS)
HOOK_NOARGS(K_PERF)
HOOK_NOARGS(K_PERF_NS)
HOOK_NOARGS(K_PROCESS)
HOOK_NOARGS(K_PROCESS_NS)
HOOK_NOARGS(K_THREAD)
HOOK_NOARGS(K_THREAD_NS)
HOOK_VARARGS(K_CLOCK, clock_varargs, -1)
HOOK_VARARGS(K_CLOCK_NS, clock_ns_varargs, -1)
HOOK_ONE(K_CLOCK)
HOOK_ONE(K_CLOCK_NS)
HOOK_VARARGS(K_LOCALTIME, K_LOCALTIME, 1)
HOOK_VARARGS(K_GMTIME, K_GMTIME, 1)
HOOK_VARARGS(K_STRFTIME, K_STRFTIME, 2)
HOOK_VARARGS(K_CTIME, K_CTIME, 1)
HOOK_VARARGS(K_ASCTIME, K_ASCTIME, 1)
HOOK_KEYWORDS(K_NOW)
HOOK_NOARGS(K_UTCNOW)
HOOK_NOARGS(K_TODAY)
HOOK_ONE(K_URANDOM)
HOOK_KEYWORDS(K_GETRANDOM)
HOOK_ONE(K_RAND_BYTES)
HOOK_NOARGS(K_RANDOM)
HOOK_ONE(K_GETRANDBITS)
HOOK_NOARGS(K_UUID1)

/* Of the process that was recorded, while it is replayed; 0 else. What is of the process and no
   request's (a pool's checkout) may compare it with one that a lane was answered. */
static long recorded_pid;

static PyObject *hook_K_GETPID(PyObject *self, PyObject *argument)
{
    int site;
    PyCodeObject *code;
    Lane *lane = enter(&site, &code);
    if (lane) return cross_plain(K_GETPID, self, argument, lane, site, code, 0);
    if (recorded_pid && !exempt_here && site_of(calling_code()) >= 0)
        return PyLong_FromLong(recorded_pid);
    return originals[K_GETPID](self, argument);
}
HOOK_NOARGS(K_GETPPID)
HOOK_NOARGS(K_HOSTNAME)
HOOK_NOARGS(K_UNAME)

static PyObject *cross_lock(int kind, PyObject *self, PyObject *args, PyObject *names)
{
    int site;
    PyCodeObject *code;
    Lane *lane = enter(&site, &code);
    PyCFunctionWithKeywords original = (PyCFunctionWithKeywords)(void (*)(void))originals[kind];
    if (lane && Py_IS_TYPE(lane, &LaneType)) Py_CLEAR(lane); /* of no scope */
    if (!lane) return original(self, args, names);
    PyObject *taken = PyObject_CallMethod((PyObject *)lane, "lock", "OOOO", self, args,
                                          names ? names : Py_None,
                                          code ? (PyObject *)code : Py_None);
    Py_DECREF(lane);
    return taken;
}
#define HOOK_LOCK(K)                                                                          \
    static PyObject *hook_##K(PyObject *self, PyObject *args, PyObject *names)                \
    {                                                                                         \
        return cross_lock(K, self, args, names);                                              \
    }
HOOK_LOCK(LOCK_ACQUIRE)
HOOK_LOCK(LOCK_ENTER)
HOOK_LOCK(RLOCK_ACQUIRE)
HOOK_LOCK(RLOCK_ENTER)

/* What a hash is fed when it is made, or NULL; a borrowed reference. */
static PyObject *fed(int kind, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    Py_ssize_t place = kind == HASH_NEW ? 1 : 0;
    if (n > place) return args[place];
    for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (PyUnicode_CompareWithASCIIString(name, "string") == 0 ||
            PyUnicode_CompareWithASCIIString(name, "data") == 0)
            return args[n + i];
    }
    return NULL;
}

static PyObject *cross_hash(int kind, PyObject *self, PyObject *const *args, Py_ssize_t n,
                            PyObject *names)
{
    Lane *lane = lane_asking();
    WithKeywords original = (WithKeywords)(void (*)(void))originals[kind];
    PyObject *made = original(self, args, n, names);
    if (lane && made) {
        PyObject *given = fed(kind, args, n, names);
        PyObject *kept = PyObject_CallMethod((PyObject *)lane, "hashing", "OO", made,
                                             given ? given : Py_None);
        if (kept) Py_SETREF(made, kept);
        else PyErr_Clear(); /* out of memory: the application gets the plain one */
    }
    Py_XDECREF(lane);
    return made;
}
#define HOOK_HASH(K)                                                                          \
    static PyObject *hook_##K(PyObject *self, PyObject *const *args, Py_ssize_t n,            \
                              PyObject *names)                                                \
    {                                                                                         \
        return cross_hash(K, self, args, n, names);                                           \
    }
HOOK_HASH(HASH_NEW)
HOOK_HASH(HASH_MD5)
HOOK_HASH(HASH_SHA1)
HOOK_HASH(HASH_SHA224)
HOOK_HASH(HASH_SHA256)
HOOK_HASH(HASH_SHA384)
HOOK_HASH(HASH_SHA512)
HOOK_HASH(HASH_SHA3_224)
HOOK_HASH(HASH_SHA3_256)
HOOK_HASH(HASH_SHA3_384)
HOOK_HASH(HASH_SHA3_512)

typedef struct {
    int kind;
    const char *module, *owner, *name; /* owner: a class in the module, or NULL */
    int flags;
    void *hook;
    PyMethodDef *def; /* whose pointer was exchanged */
    int found_flags;  /* of a definition that did not fit, for the status */
} Row;

#define KEYWORDS (METH_FASTCALL | METH_KEYWORDS)
#define ROW(K, MODULE, OWNER, NAME, FLAGS, HOOK) {K, MODULE, OWNER, NAME, FLAGS, (void *)HOOK, 0, 0}
#define LOCK_ROW(K, OWNER, NAME) \
    ROW(K, "_thread", OWNER, NAME, METH_VARARGS | METH_KEYWORDS, hook_##K)
#define HASH_ROW(K, NAME) ROW(K, "_hashlib", NULL, NAME, KEYWORDS, hook_##K)
#define CLOCK_ROW(K, NAME) ROW(K, "time", NULL, NAME, METH_NOARGS, hook_##K)
static Row rows[] = {
    CLOCK_ROW(K_TIME, "time"),
    CLOCK_ROW(K_TIME_NS, "time_ns"),
    CLOCK_ROW(K_MONOTONIC, "monotonic"),
    CLOCK_ROW(K_MONOTONIC_NS, "monotonic_ns"),
    CLOCK_ROW(K_PERF, "perf_counter"),
    CLOCK_ROW(K_PERF_NS, "perf_counter_ns"),
    CLOCK_ROW(K_PROCESS, "process_time"),
    CLOCK_ROW(K_PROCESS_NS, "process_time_ns"),
    CLOCK_ROW(K_THREAD, "thread_time"),
    CLOCK_ROW(K_THREAD_NS, "thread_time_ns"),
    /* one argument since 3.13 */
    ROW(K_CLOCK, "time", NULL, "clock_gettime", METH_VARARGS, hook_clock_varargs),
    ROW(K_CLOCK, "time", NULL, "clock_gettime", METH_O, hook_K_CLOCK),
    ROW(K_CLOCK_NS, "time", NULL, "clock_gettime_ns", METH_VARARGS, hook_clock_ns_varargs),
    ROW(K_CLOCK_NS, "time", NULL, "clock_gettime_ns", METH_O, hook_K_CLOCK_NS),
    ROW(K_LOCALTIME, "time", NULL, "localtime", METH_VARARGS, hook_K_LOCALTIME),
    ROW(K_GMTIME, "time", NULL, "gmtime", METH_VARARGS, hook_K_GMTIME),
    ROW(K_STRFTIME, "time", NULL, "strftime", METH_VARARGS, hook_K_STRFTIME),
    ROW(K_CTIME, "time", NULL, "ctime", METH_VARARGS, hook_K_CTIME),
    ROW(K_ASCTIME, "time", NULL, "asctime", METH_VARARGS, hook_K_ASCTIME),
    ROW(K_SLEEP, "time", NULL, "sleep", METH_O, hook_K_SLEEP),
    ROW(K_NOW, "datetime", "datetime", "now", KEYWORDS | METH_CLASS, hook_K_NOW),
    ROW(K_UTCNOW, "datetime", "datetime", "utcnow", METH_NOARGS | METH_CLASS, hook_K_UTCNOW),
    ROW(K_TODAY, "datetime", "date", "today", METH_NOARGS | METH_CLASS, hook_K_TODAY),
    ROW(K_URANDOM, "posix", NULL, "urandom", METH_O, hook_K_URANDOM),
    ROW(K_GETRANDOM, "posix", NULL, "getrandom", KEYWORDS, hook_K_GETRANDOM),
    ROW(K_RAND_BYTES, "_ssl", NULL, "RAND_bytes", METH_O, hook_K_RAND_BYTES),
    ROW(K_RANDOM, "_random", "Random", "random", METH_NOARGS, hook_K_RANDOM),
    ROW(K_GETRANDBITS, "_random", "Random", "getrandbits", METH_O, hook_K_GETRANDBITS),
    ROW(K_UUID1, "_uuid", NULL, "generate_time_safe", METH_NOARGS, hook_K_UUID1),
    ROW(K_GETPID, "posix", NULL, "getpid", METH_NOARGS, hook_K_GETPID),
    ROW(K_GETPPID, "posix", NULL, "getppid", METH_NOARGS, hook_K_GETPPID),
    ROW(K_HOSTNAME, "_socket", NULL, "gethostname", METH_NOARGS, hook_K_HOSTNAME),
    ROW(K_UNAME, "posix", NULL, "uname", METH_NOARGS, hook_K_UNAME),
    LOCK_ROW(LOCK_ACQUIRE, "LockType", "acquire"),
    LOCK_ROW(LOCK_ENTER, "LockType", "__enter__"),
    LOCK_ROW(RLOCK_ACQUIRE, "RLock", "acquire"),
    LOCK_ROW(RLOCK_ENTER, "RLock", "__enter__"),
    HASH_ROW(HASH_NEW, "new"),
    HASH_ROW(HASH_MD5, "openssl_md5"),
    HASH_ROW(HASH_SHA1, "openssl_sha1"),
    HASH_ROW(HASH_SHA224, "openssl_sha224"),
    HASH_ROW(HASH_SHA256, "openssl_sha256"),
    HASH_ROW(HASH_SHA384, "openssl_sha384"),
    HASH_ROW(HASH_SHA512, "openssl_sha512"),
    HASH_ROW(HASH_SHA3_224, "openssl_sha3_224"),
    HASH_ROW(HASH_SHA3_256, "openssl_sha3_256"),
    HASH_ROW(HASH_SHA3_384, "openssl_sha3_384"),
    HASH_ROW(HASH_SHA3_512, "openssl_sha3_512"),
};
#define ROWS (sizeof rows / sizeof rows[0])

/* ---- in and out */

static PyMethodDef *definition_of(Row *row)
{
    PyObject *owner = PyImport_ImportModule(row->module);
    if (owner && row->owner) Py_SETREF(owner, PyObject_GetAttrString(owner, row->owner));
    PyObject *dict = owner && row->owner ? ((PyTypeObject *)owner)->tp_dict : NULL;
    PyObject *found = dict ? Py_XNewRef(PyDict_GetItemString(dict, row->name))
                           : (owner ? PyObject_GetAttrString(owner, row->name) : NULL);
    PyMethodDef *def = NULL;
    if (found && PyCFunction_Check(found)) def = ((PyCFunctionObject *)found)->m_ml;
    else if (found && (Py_IS_TYPE(found, &PyMethodDescr_Type) ||
                       Py_IS_TYPE(found, &PyClassMethodDescr_Type)))
        def = ((PyMethodDescrObject *)found)->d_method;
    PyErr_Clear();
    /* The definition is static in its module, which is never unloaded. */
    Py_XDECREF(found);
    Py_XDECREF(owner);
    return def;
}

static void exchange(Row *row)
{
    PyMethodDef *def = definition_of(row);
    row->found_flags = def ? def->ml_flags : 0;
    if (!def || def->ml_flags != row->flags) return;
    originals[row->kind] = def->ml_meth;
    row->def = def;
    def->ml_meth = (PyCFunction)row->hook;
}

/* A built-in function is hashed by its pointer too: hmac looks constructors up in a dictionary,
   behind a proxy, of which the keys must be put in anew. */
static void find_constructors_again(void)
{
    PyObject *module = PyImport_ImportModule("_hashlib");
    PyObject *proxy = module ? PyObject_GetAttrString(module, "_constructors") : NULL;
    PyObject *gc = proxy ? PyImport_ImportModule("gc") : NULL;
    PyObject *held = gc ? PyObject_CallMethod(gc, "get_referents", "O", proxy) : NULL;
    PyObject *dict = held && PyList_GET_SIZE(held) == 1 ? PyList_GET_ITEM(held, 0) : NULL;
    PyObject *items = dict && PyDict_CheckExact(dict) ? PyDict_Items(dict) : NULL;
    if (items) PyDict_Clear(dict);
    for (Py_ssize_t i = 0; items && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1))) break;
    }
    PyErr_Clear();
    Py_XDECREF(items);
    Py_XDECREF(held);
    Py_XDECREF(gc);
    Py_XDECREF(proxy);
    Py_XDECREF(module);
}

static PyObject *gc_callback(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *phase = PyTuple_GET_SIZE(args) ? PyTuple_GET_ITEM(args, 0) : NULL;
    if (phase && PyUnicode_Check(phase)) {
        if (PyUnicode_CompareWithASCIIString(phase, "start") == 0) {
            exempt_here++;
            context_keep();
        } else {
            if (exempt_here > 0) exempt_here--;
            context_release();
        }
    }
    Py_RETURN_NONE;
}

/* Close what `importer` opened; the error of an import stays. */
static void end_chapter(PyObject *chapter)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    exempt_here++;
    PyObject *closed = PyObject_CallMethod(chapter, "__exit__", "OOO", Py_None, Py_None, Py_None);
    exempt_here--;
    if (!closed) PyErr_Clear();
    Py_XDECREF(closed);
    Py_DECREF(chapter);
    PyErr_Restore(type, value, traceback);
}

/* A module that is imported while a request waits is imported for the process: what it asks
   is a chapter of the boot tape, where `importer` opens one, and else nobody's. */
static PyObject *silent_import(PyObject *module, PyObject *args)
{
    (void)module;
    Lane *lane = lane_current();
    int silent = !lane || !lane->state->imports;
    PyObject *chapter = NULL;
    if (lane && silent && importer && PyTuple_GET_SIZE(args)) {
        exempt_here++;
        chapter = PyObject_CallOneArg(importer, PyTuple_GET_ITEM(args, 0));
        exempt_here--;
        if (!chapter) PyErr_Clear();
        if (chapter == Py_None) Py_CLEAR(chapter);
        silent = !chapter;
    }
    Py_XDECREF(lane);
    exempt_here += silent;
    PyObject *found = PyObject_CallObject(find_and_load, args);
    exempt_here -= silent;
    if (chapter) end_chapter(chapter);
    return found;
}

static PyMethodDef gc_def = {"retrace_gc", gc_callback, METH_VARARGS, NULL};
static PyMethodDef import_def = {"_find_and_load", silent_import, METH_VARARGS, NULL};

/* Finalizers run by the collector, and modules imported, belong to no request; the latter
   belong to the boot of the process. */
static int silence(void)
{
    PyObject *gc = PyImport_ImportModule("gc");
    gc_callbacks = gc ? PyObject_GetAttrString(gc, "callbacks") : NULL;
    Py_XDECREF(gc);
    gc_hook = PyCFunction_New(&gc_def, NULL);
    if (!gc_callbacks || !gc_hook || PyList_Append(gc_callbacks, gc_hook)) return -1;
    bootstrap = PyImport_ImportModule("_frozen_importlib");
    find_and_load = bootstrap ? PyObject_GetAttrString(bootstrap, "_find_and_load") : NULL;
    PyObject *replacement = find_and_load ? PyCFunction_New(&import_def, NULL) : NULL;
    int failed = !replacement || PyObject_SetAttrString(bootstrap, "_find_and_load", replacement);
    Py_XDECREF(replacement);
    return failed ? -1 : 0;
}

static void unsilence(void)
{
    if (gc_callbacks && gc_hook) {
        Py_ssize_t place = PySequence_Index(gc_callbacks, gc_hook);
        if (place >= 0) PySequence_DelItem(gc_callbacks, place);
        PyErr_Clear();
    }
    if (bootstrap && find_and_load)
        PyObject_SetAttrString(bootstrap, "_find_and_load", find_and_load);
    Py_CLEAR(gc_callbacks);
    Py_CLEAR(gc_hook);
    Py_CLEAR(bootstrap);
    Py_CLEAR(find_and_load);
    PyErr_Clear();
}

static PyObject *install_clock_hooks(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    if (!gc_hook && silence()) return NULL;
    PyObject *names = PyList_New(0);
    for (size_t i = 0; names && i < ROWS; i++) {
        if (!rows[i].def) exchange(&rows[i]);
        if (!rows[i].def) continue;
        PyObject *name = PyUnicode_FromString(kind_names[rows[i].kind]);
        if (!name || PyList_Append(names, name)) Py_CLEAR(names);
        Py_XDECREF(name);
    }
    find_constructors_again();
    return names;
}

static PyObject *remove_clock_hooks(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    for (size_t i = 0; i < ROWS; i++) {
        if (!rows[i].def) continue;
        rows[i].def->ml_meth = originals[rows[i].kind];
        rows[i].def = NULL;
    }
    find_constructors_again();
    unsilence();
    Py_RETURN_NONE;
}

static PyObject *hook_status(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    PyObject *status = PyDict_New();
    for (size_t i = 0; status && i < ROWS; i++) {
        const char *name = kind_names[rows[i].kind];
        PyObject *known = PyDict_GetItemString(status, name);
        if (known && !rows[i].def) continue; /* another convention of the same function */
        PyObject *text = rows[i].def ? PyUnicode_FromString("hooked")
                         : rows[i].found_flags
                             ? PyUnicode_FromFormat("refused: flags %d, expected %d",
                                                    rows[i].found_flags, rows[i].flags)
                             : PyUnicode_FromString("absent");
        if (!text || PyDict_SetItemString(status, name, text)) Py_CLEAR(status);
        Py_XDECREF(text);
    }
    return status;
}

static PyObject *set_policy(PyObject *module, PyObject *callable)
{
    (void)module;
    if (extra_index < 0) extra_index = request_extra(NULL);
    Py_INCREF(callable);
    Py_XSETREF(policy, callable);
    latest = NULL;
    Py_RETURN_NONE;
}

static PyObject *set_pid(PyObject *module, PyObject *number)
{
    (void)module;
    long pid = PyLong_AsLong(number);
    if (pid == -1 && PyErr_Occurred()) return NULL;
    recorded_pid = pid;
    Py_RETURN_NONE;
}

static PyObject *set_importer(PyObject *module, PyObject *callable)
{
    (void)module;
    Py_INCREF(callable);
    Py_XSETREF(importer, callable);
    Py_RETURN_NONE;
}

PyMethodDef hook_functions[] = {
    {"install_clock_hooks", install_clock_hooks, METH_NOARGS, "Hook clocks and entropy."},
    {"remove_clock_hooks", remove_clock_hooks, METH_NOARGS, "Take the hooks out again."},
    {"hook_status", hook_status, METH_NOARGS, "Return what is hooked, and what is not."},
    {"set_importer", set_importer, METH_O, "Set what opens a chapter for a module's import."},
    {"set_pid", set_pid, METH_O, "Set whose process a replay is to pass for; 0 for its own."},
    {"set_policy", set_policy, METH_O, "Set what decides whose reads are events."},
    {NULL, NULL, 0, NULL},
};

int hooks_init(PyObject *module)
{
    PyObject *names = PyTuple_New(KINDS);
    for (Py_ssize_t i = 0; names && i < KINDS; i++) {
        PyObject *name = PyUnicode_InternFromString(kind_names[i]);
        if (!name) { Py_CLEAR(names); break; }
        PyTuple_SET_ITEM(names, i, name);
    }
    int failed = !names || PyModule_AddObjectRef(module, "SOFT_KINDS", names);
    Py_XDECREF(names);
    return failed ? -1 : 0;
}
