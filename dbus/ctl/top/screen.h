// The terminal as a screen, by ncurses: taken over while it lives, and given back as it was, whatever
// happens.
#pragma once

#include <memory>
#include <vector>

#include "dbus/ctl/top/view.h"

namespace shorewatch::ctl {

class TopScreen {
  public:
    // One at a time, as ncurses has it. Throws CommandError on what is no terminal, and on one without a way
    // to put the cursor somewhere, as TERM=dumb.
    explicit TopScreen(bool colour);
    ~TopScreen();
    TopScreen(const TopScreen&) = delete;
    TopScreen& operator=(const TopScreen&) = delete;

    [[nodiscard]] TopSize size() const;
    void show(const std::vector<TopLine>& lines);
    // All that was typed by now.
    [[nodiscard]] std::vector<TopKey> read_keys();
    // The terminal has another size.
    void fit();
    // Gives the terminal back for a while; the next show() takes it again.
    void suspend();

  private:
    struct Terminal;
    std::unique_ptr<Terminal> terminal_;
};

}  // namespace shorewatch::ctl
