/* @SKETCH@: @KIND@ pipeline @NAME@, @FINGERPRINT@, on a Nano 33 BLE Sense. Made by tinykit.
 *
 * Open the Serial Monitor to read what it finds, or the Serial Plotter to see it drawn. The built-in LED
 * lights up for a while at each decision.
 *
 *   network.cpp    the network, by TensorFlow Lite Micro
 *   sensor.cpp     @SENSOR_TEXT@
 *   model.cpp      the network's bytes, front end, labels and decision rule; windows to check it with
 *   src/           windows, front end and decisions: the same C code that tinykit trained with
 */
#include "model.h"
#include "network.h"
#include "sensor.h"
#include "src/tk_solo_text.h"

static tk_solo solo;
static tk_solo_checked checked;
static const char *problem; /* why it does not work; NULL: it does */

static uint8_t line[@LINE@];
static tk_text text = {line, 0, sizeof line};

/* Say what was put into the text since the last time, if anybody listens. */
static void say()
{
    if (Serial) Serial.write(line, text.length);
    text.length = 0;
}

/* What there is to know, each time that the port is opened; a problem again and again. */
static void introduce()
{
    static bool told;
    static uint32_t told_ms;
    bool open = Serial;
    if (open && problem != NULL && (!told || millis() - told_ms > 2000)) {
        tk_text_put(&text, "# stopped: ");
        tk_text_put(&text, problem);
        tk_text_put(&text, "\r\n");
        say();
        told_ms = millis();
    } else if (open && !told) {
        tk_solo_put_pipeline(&text, &solo.pipeline);
        tk_solo_put_checked(&text, &checked);
        tk_text_put(&text, "# ");
        tk_text_put(&text, sensor_name());
        tk_text_put(&text, "; the network uses ");
        tk_text_number(&text, (uint32_t)network_arena_used());
        tk_text_put(&text, " bytes of its arena\r\n");
        say();
    }
    told = open;
}

/* The LED shows decisions for a third of a second. */
static void shine(bool now)
{
    static uint32_t since_ms;
    if (now) since_ms = millis();
    digitalWrite(LED_BUILTIN, now || (since_ms > 0 && millis() - since_ms < 300) ? HIGH : LOW);
}

static const char *begin()
{
    tk_solo_network network;
    const char *why = network_begin(&network);
    if (why != NULL) return why;
    if (tk_solo_init(&solo, sensor_hal(), model_section, MODEL_SECTION_BYTES, &network) != TK_OK) {
        return "the network does not belong to this front end";
    }
    /* Made-up windows first, so that a wrong library shows at once. */
    if (sensor_check(&solo, &checked) != TK_OK || network_reset() != TK_OK) return "the network could not be run";
    return sensor_begin(&solo);
}

/* Serial is open already, and its speed is USB's. Nothing here waits for somebody to listen. */
void setup()
{
    pinMode(LED_BUILTIN, OUTPUT);
    problem = begin();
}

void loop()
{
    tk_solo_answer answer;
    introduce();
    bool due = problem == NULL && sensor_answer(&solo, &answer);
    if (due && answer.status != TK_OK) problem = "the network could not be run";
    if (due && answer.status == TK_OK) {
        tk_solo_put_answer(&text, &solo.pipeline, &answer);
        say();
    }
    shine(due && answer.status == TK_OK && answer.decision.announce);
}
