/// One entry of a master file: the words of a line, or of several lines held together by parentheses.
struct MasterEntry {
    struct Word {
        let token: TextToken
        let line: Int
        let column: Int
    }

    /// True when the line began with a blank: the owner is that of the record before (RFC 1035 section 5.1).
    var startsBlank: Bool
    var words: [Word]
    /// Where the entry began, counted from 1.
    var line: Int
}

/// Cuts a master file into entries (RFC 1035 section 5.1): blanks, comments, quotes, escapes and parentheses.
struct MasterFileLexer {
    private let text: [UInt8]
    private var position = 0
    private var line = 1
    private var lineStart = 0
    private var depth = 0

    init(text: [UInt8]) { self.text = text }

    struct Problem: Error {
        let line: Int
        let column: Int
        let message: String
    }

    private func problem(_ message: String, at position: Int) -> Problem {
        Problem(line: line, column: position - lineStart + 1, message: message)
    }

    /// The next entry with at least one word; nil at the end of the file. After a problem, the next call goes on with
    /// the line behind it.
    mutating func next() throws(Problem) -> MasterEntry? {
        var entry = MasterEntry(startsBlank: false, words: [], line: line)
        while position < text.count {
            let octet = text[position]
            switch octet {
            case UInt8(ascii: "\n"):
                newLine()
                if depth == 0 {
                    if !entry.words.isEmpty { return entry }
                    entry = MasterEntry(startsBlank: false, words: [], line: line)
                }
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                if entry.words.isEmpty, position == lineStart, depth == 0 { entry.startsBlank = true }
                position += 1
            case UInt8(ascii: ";"):
                while position < text.count, text[position] != UInt8(ascii: "\n") { position += 1 }
            case UInt8(ascii: "("):
                depth += 1
                position += 1
            case UInt8(ascii: ")"):
                guard depth > 0 else { throw fail("a closing parenthesis without an opening one", at: position) }
                depth -= 1
                position += 1
            case UInt8(ascii: "\""):
                entry.words.append(try quoted())
            default:
                entry.words.append(try plain())
            }
        }
        guard depth == 0 else {
            depth = 0
            throw problem("the file ends inside parentheses that began at line \(entry.line)", at: position)
        }
        return entry.words.isEmpty ? nil : entry
    }

    private mutating func newLine() {
        position += 1
        line += 1
        lineStart = position
    }

    /// Skips the rest of the line, so that one mistake is reported once.
    private mutating func fail(_ message: String, at place: Int) -> Problem {
        let problem = problem(message, at: place)
        while position < text.count, text[position] != UInt8(ascii: "\n") { position += 1 }
        depth = 0
        return problem
    }

    private mutating func quoted() throws(Problem) -> MasterEntry.Word {
        let start = position
        position += 1
        while position < text.count, text[position] != UInt8(ascii: "\"") {
            if text[position] == UInt8(ascii: "\n") {
                throw fail("a quoted string without its closing quote", at: start)
            }
            position += text[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < text.count else {
            position = text.count
            throw fail("a quoted string without its closing quote", at: start)
        }
        position += 1
        return word(start: start, text: text[(start + 1)..<(position - 1)], isQuoted: true)
    }

    private mutating func plain() throws(Problem) -> MasterEntry.Word {
        let start = position
        while position < text.count, !Self.endsWord(text[position]) {
            position += text[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position <= text.count else {
            position = text.count
            throw fail("the file ends inside an escape", at: start)
        }
        return word(start: start, text: text[start..<position], isQuoted: false)
    }

    private func word(start: Int, text: ArraySlice<UInt8>, isQuoted: Bool) -> MasterEntry.Word {
        let isJoined = start > 0 && self.text[start - 1] == UInt8(ascii: "=")
        return MasterEntry.Word(
            token: TextToken(text: text, isQuoted: isQuoted, isJoined: isJoined), line: line,
            column: start - lineStart + 1)
    }

    private static func endsWord(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: ";"),
            UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\""):
            true
        default:
            false
        }
    }
}
