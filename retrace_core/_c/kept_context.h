#ifndef RETRACE_KEPT_CONTEXT_H
#define RETRACE_KEPT_CONTEXT_H

/* To be called by what `gc.callbacks` holds, at the start and at the end of a collection. */
void context_keep(void);
void context_release(void);

#endif
