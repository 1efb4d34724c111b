#include "engines/http/json_writer.h"

#include "engines/http/json.h"
#include "engines/support/text.h"

namespace shorewatch::json {

void Writer::text(std::string_view value) {
    const std::string valid = valid_utf8(value);
    writer_.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
}

void Writer::texts(std::string_view name, const std::vector<std::string>& values) {
    key(name);
    begin_array();
    for (const std::string& value : values)
        text(value);
    end_array();
}

void Writer::json(std::string_view value) {
    const std::string valid = valid_utf8(value);
    try {
        const Document document(valid);
        writer_.RawValue(valid.data(), valid.size(), document.root().GetType());
    } catch (const Malformed&) {
        null();
    }
}

}  // namespace shorewatch::json
