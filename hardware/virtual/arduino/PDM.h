/* The microphone of the Nano 33 BLE Sense, with the interface of the PDM library of Arduino's mbed core:
 * 16000 or 41667 samples a second, one channel, 256 samples (512 bytes) a buffer.
 *
 * The function given to onReceive() is called in an interrupt when a buffer is full, and must read all
 * of it: what is left when the next is full stops the microphone, silently. */
#ifndef VIRTUAL_PDM_H
#define VIRTUAL_PDM_H
#include "Arduino.h"

class PDMClass {
  public:
    /* 1, or 0: not that many channels (the real library's 2 need a second microphone), or not that rate. */
    int begin(int channels, int sampleRate);
    void end();
    int available();                     /* bytes of the full buffer that were not read yet */
    int read(void *buffer, size_t size); /* at most so many bytes; returns how many */
    void onReceive(void (*function)(void)) { receive_ = function; }
    void setGain(int gain);            /* half decibels, 0 to 80; 20 unless told */
    void setBufferSize(int bytes);     /* from the next begin() on */
    size_t getBufferSize() { return 2 * samples_; }
    void IrqHandler(bool half_transfer);

    /* Not in the real library: the microphone's own count and clock, for the first sample of the last
     * read() that gave any. */
    uint32_t sampleIndex() const { return tkv_read(TKV_MIC_INDEX); }
    uint32_t sampleTime() const { return tkv_read(TKV_MIC_TIME); }

  private:
    void (*receive_)(void);
    uint32_t samples_ = 256;
};
extern PDMClass PDM;
#endif
