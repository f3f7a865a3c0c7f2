/// One record of a zone, and where it was written.
package struct MasterRecord: Hashable, Sendable {
    package let owner: Name
    /// Seconds, 0 ..< 2^31.
    package let ttl: UInt32
    package let data: RecordData
    package let file: String
    /// Counted from 1.
    package let line: Int

    package init(owner: Name, ttl: UInt32, data: RecordData, file: String, line: Int) {
        self.owner = owner
        self.ttl = ttl
        self.data = data
        self.file = file
        self.line = line
    }

    package var type: RecordType { data.type }
}

/// A mistake in a master file. Lines and columns are counted from 1.
package struct MasterFileError: Error, Hashable, Sendable, CustomStringConvertible {
    package let file: String
    package let line: Int
    package let column: Int
    package let message: String

    package init(file: String, line: Int, column: Int, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    package var description: String { "\(file):\(line):\(column): error: \(message)" }
}

/// A master file (RFC 1035 section 5) with `$ORIGIN`, `$TTL` (RFC 2308 section 4) and `$INCLUDE`.
package enum MasterFile {
    /// How deep files may include each other.
    package static let maximumDepth = 8
    /// How many mistakes are reported at most.
    package static let maximumErrors = 100

    /// An included file.
    package struct Source: Hashable, Sendable {
        /// Its name for messages and for what it includes in turn.
        package let file: String
        package let text: [UInt8]

        package init(file: String, text: [UInt8]) {
            self.file = file
            self.text = text
        }
    }

    /// Reads `source` and every file that it includes. All mistakes are collected; a line with a mistake yields no
    /// record.
    ///
    /// `origin`: the origin at the start of the file.
    /// `read`: an included file by its name as written and the name of the file that includes it; nil when it cannot
    /// be read.
    package static func parse(
        _ source: Source, origin: Name, read: (_ name: String, _ includer: String) -> Source?
    ) -> (records: [MasterRecord], errors: [MasterFileError]) {
        withoutActuallyEscaping(read) { read in
            var reader = MasterFileReader(read: read)
            reader.parse(source, origin: origin)
            return (reader.records, reader.errors)
        }
    }

    /// The words of record data that stands alone, quotes taken off; nil when it is not one line.
    package static func words(_ text: String) -> [TextToken]? {
        var lexer = MasterFileLexer(text: Array(text.utf8))
        do throws(MasterFileLexer.Problem) {
            guard let entry = try lexer.next(), try lexer.next() == nil else { return nil }
            return entry.words.map(\.token)
        } catch {
            return nil
        }
    }
}

private struct MasterFileReader {
    var records: [MasterRecord] = []
    var errors: [MasterFileError] = []

    private let read: (String, String) -> MasterFile.Source?

    /// What one line leaves to the next.
    private struct Context {
        let file: String
        var origin: Name
        var owner: Name?
        /// Of `$TTL`.
        var defaultTTL: UInt32?
        /// Of the last record that gave one.
        var lastTTL: UInt32?

        init(file: String, origin: Name) {
            self.file = file
            self.origin = origin
        }
    }

    init(read: @escaping (String, String) -> MasterFile.Source?) { self.read = read }

    mutating func parse(_ source: MasterFile.Source, origin: Name) {
        var context = Context(file: source.file, origin: origin)
        parse(source.text, context: &context, depth: 0)
    }

    private mutating func parse(_ text: [UInt8], context: inout Context, depth: Int) {
        var lexer = MasterFileLexer(text: text)
        while errors.count < MasterFile.maximumErrors {
            do throws(MasterFileLexer.Problem) {
                guard let entry = try lexer.next() else { return }
                do throws(MasterFileError) {
                    try read(entry, context: &context, depth: depth)
                } catch {
                    errors.append(error)
                }
            } catch {
                errors.append(
                    MasterFileError(file: context.file, line: error.line, column: error.column, message: error.message))
            }
        }
    }

    private mutating func read(_ entry: MasterEntry, context: inout Context, depth: Int) throws(MasterFileError) {
        let first = entry.words[0]
        if !entry.startsBlank, !first.token.isQuoted, first.token.text.first == UInt8(ascii: "$") {
            try direct(entry, context: &context, depth: depth)
        } else {
            try readRecord(entry, context: &context)
        }
    }

    private func error(_ message: String, at word: MasterEntry.Word, in context: Context) -> MasterFileError {
        MasterFileError(file: context.file, line: word.line, column: word.column, message: message)
    }

    // MARK: Directives

    private mutating func direct(_ entry: MasterEntry, context: inout Context, depth: Int) throws(MasterFileError) {
        let directive = entry.words[0]
        switch directive.token.string.uppercased() {
        case "$ORIGIN":
            try check(entry, arguments: 1...1, "$ORIGIN NAME", context)
            context.origin = try name(entry.words[1], context)
        case "$TTL":
            try check(entry, arguments: 1...1, "$TTL SECONDS", context)
            guard let ttl = MasterNumber.seconds(entry.words[1].token.text) else {
                throw error(
                    "\"\(entry.words[1].token.string)\" is not a number of seconds such as 3600 or 1h30m, below 2^31",
                    at: entry.words[1], in: context)
            }
            context.defaultTTL = ttl
        case "$INCLUDE":
            try check(entry, arguments: 1...2, "$INCLUDE FILE [ORIGIN]", context)
            try include(entry, context: &context, depth: depth)
        default:
            throw error(
                "\"\(directive.token.string)\" is not a directive; $ORIGIN, $TTL and $INCLUDE are", at: directive,
                in: context)
        }
    }

    private func check(
        _ entry: MasterEntry, arguments: ClosedRange<Int>, _ form: String, _ context: Context
    ) throws(MasterFileError) {
        guard arguments.contains(entry.words.count - 1) else {
            throw error("write it as \(form)", at: entry.words[0], in: context)
        }
    }

    private mutating func include(_ entry: MasterEntry, context: inout Context, depth: Int) throws(MasterFileError) {
        let file = entry.words[1]
        guard depth < MasterFile.maximumDepth else {
            throw error("files include each other more than \(MasterFile.maximumDepth) deep", at: file, in: context)
        }
        guard let source = read(file.token.string, context.file) else {
            throw error("\"\(file.token.string)\" cannot be read", at: file, in: context)
        }
        // The included file's origin and owner do not come back (RFC 1035 section 5.1).
        var inner = Context(file: source.file, origin: context.origin)
        if entry.words.count == 3 { inner.origin = try name(entry.words[2], context) }
        inner.owner = context.owner
        inner.defaultTTL = context.defaultTTL
        inner.lastTTL = context.lastTTL
        parse(source.text, context: &inner, depth: depth + 1)
    }

    private func name(_ word: MasterEntry.Word, _ context: Context) throws(MasterFileError) -> Name {
        if !word.token.isQuoted, word.token.text.elementsEqual([UInt8(ascii: "@")]) { return context.origin }
        do {
            return try Name(text: word.token.text, origin: context.origin)
        } catch let problem {
            throw error("\"\(word.token.string)\" is \(problem)", at: word, in: context)
        }
    }

    // MARK: Records

    private mutating func readRecord(_ entry: MasterEntry, context: inout Context) throws(MasterFileError) {
        var words = entry.words[...]
        if !entry.startsBlank, let word = words.popFirst() {
            context.owner = nil
            context.owner = try name(word, context)
        }
        guard let owner = context.owner else {
            throw error("a record without an owner, and there is none before it", at: entry.words[0], in: context)
        }
        let explicitTTL = try skipTTLAndClass(&words, context)
        guard let typeWord = words.popFirst() else {
            throw error("the type of the record is missing", at: entry.words[entry.words.count - 1], in: context)
        }
        guard let type = RecordType(typeWord.token.string), !typeWord.token.isQuoted else {
            throw error("\"\(typeWord.token.string)\" is not a record type", at: typeWord, in: context)
        }
        guard !type.isQueryOnly else {
            throw error("type \(type) cannot stand in a zone", at: typeWord, in: context)
        }
        let data: RecordData
        do {
            data = try RecordData(type: type, tokens: words.map(\.token), origin: context.origin)
        } catch let problem {
            let index = words.startIndex + problem.token
            let place = index < words.endIndex ? words[index] : words.last ?? typeWord
            throw error(problem.message, at: place, in: context)
        }
        if let explicitTTL { context.lastTTL = explicitTTL }
        // A SOA without a TTL takes its own last field, as the custom was before RFC 2308.
        let inherited = context.defaultTTL ?? context.lastTTL ?? (type == .soa ? data.negativeTTL : nil)
        guard let ttl = explicitTTL ?? inherited else {
            throw error("no TTL is known here; put a line such as \"$TTL 1h\" in front", at: typeWord, in: context)
        }
        if type == .soa, context.lastTTL == nil { context.lastTTL = ttl }
        records.append(MasterRecord(owner: owner, ttl: ttl, data: data, file: context.file, line: entry.line))
    }

    /// TTL and class, each at most once, in either order. Only class IN is served.
    private func skipTTLAndClass(
        _ words: inout ArraySlice<MasterEntry.Word>, _ context: Context
    ) throws(MasterFileError) -> UInt32? {
        var ttl: UInt32?
        var hasClass = false
        while let word = words.first, !word.token.isQuoted {
            if ttl == nil, let first = word.token.text.first, ASCII.isDigit(first) {
                guard let seconds = MasterNumber.seconds(word.token.text) else {
                    throw error(
                        "\"\(word.token.string)\" is not a number of seconds such as 3600 or 1h30m, below 2^31",
                        at: word, in: context)
                }
                ttl = seconds
            } else if !hasClass, ["IN", "CH", "HS", "CS"].contains(word.token.string.uppercased()) {
                guard word.token.string.uppercased() == "IN" else {
                    throw error("class \(word.token.string) is not served; write IN", at: word, in: context)
                }
                hasClass = true
            } else {
                break
            }
            words.removeFirst()
        }
        return ttl
    }
}
