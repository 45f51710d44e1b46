// YAML of strangers: a tree of texts, lists and maps within bounds. What a scalar means is for the
// one who asks; an alias is a copy that counts, so a text of a page cannot become a gigabyte.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cloister::package {

inline constexpr std::size_t kMaxYamlBytes = 256 * 1024;
inline constexpr std::size_t kMaxYamlNodes = 10'000; ///< copies by aliases included
inline constexpr std::size_t kMaxYamlDepth = 16;

class Yaml {
public:
    enum class Kind : unsigned char { nothing, text, list, map };

    /// `where`: the file, for what is thrown. Throws Wrong.
    static Yaml parse(const std::string& text, const std::string& where);

    Kind kind() const { return kind_; }
    bool is_nothing() const { return kind_ == Kind::nothing; }
    /// Where it stands: "problem.yaml: limits.memory".
    const std::string& where() const { return where_; }
    const std::string& raw() const { return text_; }
    const std::vector<Yaml>& items() const { return items_; }
    const std::vector<std::pair<std::string, Yaml>>& members() const { return members_; }

    /// The member, or nullptr; also of what is nothing. Throws Wrong for what is no map.
    const Yaml* find(std::string_view key) const;
    /// Throws Wrong when it is not what is asked for.
    std::string text() const;
    bool flag() const;
    double number(double least, double most) const;
    std::uint64_t whole(std::uint64_t least, std::uint64_t most) const;
    /// A list of texts; one text alone is a list of one.
    std::vector<std::string> texts() const;
    /// Throws Wrong for a member of another name.
    void allow_only(const std::vector<std::string_view>& keys) const;
    [[noreturn]] void wrong(const std::string& what) const;

private:
    friend class YamlBuilder;
    void place(const std::string& where);

    Kind kind_ = Kind::nothing;
    bool quoted_ = false;
    std::string text_{};
    std::vector<Yaml> items_{};
    std::vector<std::pair<std::string, Yaml>> members_{};
    std::string where_{};
};

} // namespace cloister::package
