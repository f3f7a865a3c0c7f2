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

/// A master file (RFC 1035 section 5) with `$ORIGIN`, `$TTL` (RFC 2308 section 4), `$INCLUDE`, and BIND's `$GENERATE`.
package enum MasterFile {
    /// How deep files may include each other.
    package static let maximumDepth = 8
    /// How many mistakes are reported at most.
    package static let maximumErrors = 100
    /// How many records `$GENERATE` may make in one file and all that it includes.
    package static let maximumGenerated = 1 << 20

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
    /// `generated`: how many records `$GENERATE` may make.
    package static func parse(
        _ source: Source, origin: Name, generated: Int = maximumGenerated,
        read: (_ name: String, _ includer: String) -> Source?
    ) -> (records: [MasterRecord], errors: [MasterFileError]) {
        var records: [MasterRecord] = []
        let errors = self.read(source, origin: origin, generated: generated, include: read) { records.append($0) }
        return (records, errors)
    }

    /// The same, one record at a time: a zone of a million names is never held as text and records at once.
    package static func read(
        _ source: Source, origin: Name, generated: Int = maximumGenerated,
        include: (_ name: String, _ includer: String) -> Source?, _ take: (MasterRecord) -> Void
    ) -> [MasterFileError] {
        withoutActuallyEscaping(include) { include in
            withoutActuallyEscaping(take) { take in
                var reader = MasterFileReader(read: include, take: take, generated: generated)
                reader.parse(source, origin: origin)
                return reader.errors
            }
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
    var errors: [MasterFileError] = []
    private let take: (MasterRecord) -> Void
    /// How many records may still be generated.
    private var generated: Int

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

    init(
        read: @escaping (String, String) -> MasterFile.Source?, take: @escaping (MasterRecord) -> Void, generated: Int
    ) {
        self.read = read
        self.take = take
        self.generated = generated
    }

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
        case "$GENERATE":
            try generate(entry, context: &context)
        default:
            throw error(
                "\"\(directive.token.string)\" is not a directive; $ORIGIN, $TTL, $INCLUDE and $GENERATE are",
                at: directive, in: context)
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

    /// `$GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA`: a line for each number.
    private mutating func generate(_ entry: MasterEntry, context: inout Context) throws(MasterFileError) {
        guard entry.words.count >= 5 else {
            throw error(
                "write it as $GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA", at: entry.words[0], in: context
            )
        }
        guard let range = GenerateRange(entry.words[1].token.text) else {
            throw error(
                "\"\(entry.words[1].token.string)\" is not a range such as 1-100 or 0-254/2", at: entry.words[1],
                in: context)
        }
        guard range.count <= generated else {
            throw error("$GENERATE may make \(generated) more records here", at: entry.words[1], in: context)
        }
        generated -= range.count
        let template: GenerateTemplate
        do throws(GenerateTemplate.Problem) {
            template = try GenerateTemplate(entry.words[2...].map(\.token))
        } catch {
            throw self.error(error.message, at: entry.words[2 + error.word], in: context)
        }
        let directive = entry.words[0]
        for number in range.numbers {
            guard let line = template.line(number) else {
                throw error("\(number) and an offset make a number below zero", at: entry.words[1], in: context)
            }
            var lexer = MasterFileLexer(text: line)
            guard let made = try? lexer.next() else {
                throw error("number \(number) makes a line that cannot be read", at: directive, in: context)
            }
            // All of it happened in this line.
            let words = made.words.map {
                MasterEntry.Word(token: $0.token, line: directive.line, column: directive.column)
            }
            try readRecord(MasterEntry(startsBlank: false, words: words, line: directive.line), context: &context)
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
        guard !typeWord.token.isQuoted, let type = RecordType(octets: typeWord.token.text) else {
            throw error(
                "\"\(typeWord.token.string)\" is not a record type; one without a name is TYPE123 \\# LENGTH HEX (RFC 3597)",
                at: typeWord, in: context)
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
        take(MasterRecord(owner: owner, ttl: ttl, data: data, file: context.file, line: entry.line))
    }

    /// Whether a class is served; nil for what is no class. `CLASS1` is IN (RFC 3597 section 5).
    private static func isServedClass(_ text: ArraySlice<UInt8>) -> Bool? {
        guard text.count == 2 else {
            guard text.count > 5, ASCII.word(text.prefix(5)) == 0x43_4c41_5353,
                let number = MasterNumber.decimal(text.dropFirst(5)),
                number <= 0xffff
            else { return nil }
            return number == 1
        }
        switch ASCII.word(text) {
        case 0x494e: return true
        // CH, HS, CS.
        case 0x4348, 0x4853, 0x4353: return false
        default: return nil
        }
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
            } else if !hasClass, let isServed = Self.isServedClass(word.token.text) {
                guard isServed else {
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
