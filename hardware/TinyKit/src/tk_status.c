#include "tk_status.h"

/* A switch, not a table indexed by number: it can't drift from the enum. */

const char *tk_status_name(tk_status status)
{
    switch (status) {
#define TK_STATUS_NAME(constant, number, name, meaning) case constant: return name;
        TK_STATUS_LIST(TK_STATUS_NAME)
#undef TK_STATUS_NAME
    }
    return "unknown";
}

const char *tk_status_meaning(tk_status status)
{
    switch (status) {
#define TK_STATUS_MEANING(constant, number, name, meaning) case constant: return meaning;
        TK_STATUS_LIST(TK_STATUS_MEANING)
#undef TK_STATUS_MEANING
    }
    return "unknown";
}
