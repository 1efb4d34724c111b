// Calls that were taken over one connection and are answered later: an answer must not outlive the
// connection.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "dbus/compat/sdbus.h"
#include "dbus/service/authority.h"
#include "dbus/service/errors.h"
#include "dbus/service/late_result.h"

namespace shorewatch::bus {

class OpenCalls {
  public:
    // At the same time, of all callers.
    static constexpr std::size_t most = 4096;

    // One call. Copies are of the same one.
    template <typename... Values>
    class Call {
      public:
        // Answers with what make returns, a tuple where there are several values, or with what it throws.
        // Does nothing when the call was answered, or its connection has gone.
        template <typename Make>
        void answer(const Make& make) const;

      private:
        friend class OpenCalls;
        using Result = LateResult<Values...>;

        Call(OpenCalls& calls, std::weak_ptr<Result> result) : calls_(&calls), result_(std::move(result)) {}

        OpenCalls* calls_;
        std::weak_ptr<Result> result_;
    };

    // Takes what is left of result when it succeeds. Throws LimitsExceeded.
    template <typename... Values>
    [[nodiscard]] Call<Values...> keep(LateResult<Values...>&& result);

    // The connection goes: none of them will be answered.
    void drop() noexcept { results_.clear(); }

  private:
    std::list<std::shared_ptr<void>> results_;
};

template <typename... Values>
// NOLINTNEXTLINE(cppcoreguidelines-rvalue-reference-param-not-moved): it is, into what is shared
OpenCalls::Call<Values...> OpenCalls::keep(LateResult<Values...>&& result) {
    if (results_.size() >= most)
        throw error(errors::limits_exceeded, "Too many calls wait for their answers; try again");
    const auto kept = std::make_shared<LateResult<Values...>>(std::move(result));
    results_.push_back(kept);
    return Call<Values...>(*this, kept);
}

template <typename... Values>
template <typename Make>
void OpenCalls::Call<Values...>::answer(const Make& make) const {
    const std::shared_ptr<Result> result = result_.lock();
    if (!result) return;
    calls_->results_.remove(result);
    answer_errors_of(*result, [&] {
        if constexpr (std::is_void_v<std::invoke_result_t<const Make&>>) {
            make();
            result->returnResults();
        } else if constexpr (sizeof...(Values) > 1) {
            std::apply([&](const Values&... values) { result->returnResults(values...); },
                       std::tuple<Values...>(make()));
        } else {
            result->returnResults(make());
        }
    });
}

}  // namespace shorewatch::bus
