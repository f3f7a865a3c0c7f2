/// The JSON Schema (draft 2020-12) of a topology, for editors that check and complete YAML while it is written. It says
/// what a schema can say; `check` says the rest.
package enum JSONSchema {
    /// Indented by two blanks, keys in the order of the documents, with a final line end.
    package static var text: String {
        var members: [(String, JSONText)] = [
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            ("title", .string("Meridian topology")),
        ]
        var definitions: [(String, JSONText)] = []
        guard case .object(let root) = record(TopologySchema.root) else { return "" }
        members += root
        for schema in [TopologySchema.secret, TopologySchema.check] {
            definitions.append((schema.title.definitionName, record(schema)))
        }
        members.append(("$defs", .object(definitions)))
        return JSONText.object(members).rendered + "\n"
    }

    private static func record(_ schema: RecordSchema) -> JSONText {
        var members: [(String, JSONText)] = [
            ("type", .string("object")),
            ("description", .string(schema.summary.plain)),
            (
                "properties",
                .object(schema.keys.map { ($0.name, property($0)) })
            ),
            ("additionalProperties", .boolean(false)),
        ]
        let required = schema.keys.filter { if case .required = $0.presence { true } else { false } }.map(\.name)
        // What one file lacks another that it includes may have.
        if !required.isEmpty, schema.title != TopologySchema.root.title {
            members.append(("required", .array(required.map(JSONText.string))))
        }
        if !schema.oneOf.isEmpty {
            members.append(("oneOf", .array(schema.oneOf.map { .object([("required", .array([.string($0)]))]) })))
        }
        return .object(members)
    }

    private static func property(_ key: RecordSchema.Key) -> JSONText {
        guard case .object(var members) = shape(key.shape) else { return .object([]) }
        members.removeAll { $0.0 == "description" }
        members.insert(("description", .string(key.summary.plain)), at: 0)
        if case .standard(let text) = key.presence { members.append(("default", value(text, key.shape))) }
        return .object(members)
    }

    private static func shape(_ shape: Shape) -> JSONText {
        switch shape {
        case .scalar(let kind):
            return scalar(kind)
        case .record(let schema) where [TopologySchema.secret.title, TopologySchema.check.title].contains(schema.title):
            return .object([("$ref", .string("#/$defs/\(schema.title.definitionName)"))])
        case .record(let schema):
            return record(schema)
        case .map(let keys, let values, let least):
            var members: [(String, JSONText)] = [
                ("type", .string("object")), ("additionalProperties", self.shape(values)),
            ]
            if case .reference = keys {} else { members.append(("propertyNames", scalar(keys))) }
            if least > 0 { members.append(("minProperties", .integer(least))) }
            return .object(members)
        case .list(let item, let least):
            var members: [(String, JSONText)] = [("type", .string("array")), ("items", self.shape(item))]
            if least > 0 { members.append(("minItems", .integer(least))) }
            return .object(members)
        case .oneOrMany(let kind):
            return .object([
                ("oneOf", .array([scalar(kind), self.shape(.list(.scalar(kind), atLeast: 1))]))
            ])
        case .either(let kind, let schema):
            return .object([("oneOf", .array([scalar(kind), record(schema)]))])
        }
    }

    private static func scalar(_ kind: ScalarKind) -> JSONText {
        func pattern(_ pattern: String) -> JSONText {
            .object([("type", .string("string")), ("pattern", .string(pattern))])
        }
        switch kind {
        case .text, .file, .fileOrOutput, .writtenFile, .reference: return .object([("type", .string("string"))])
        case .name, .candidate: return pattern("^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
        case .choice(let words): return .object([("enum", .array(words.map(JSONText.string)))])
        case .boolean: return .object([("type", .string("boolean"))])
        case .integer(let range):
            return .object([
                ("type", .string("integer")), ("minimum", .integer(range.lowerBound)),
                ("maximum", .integer(range.upperBound)),
            ])
        case .number(let range):
            return .object([
                ("type", .string("number")), ("minimum", .number(range.lowerBound)),
                ("maximum", .number(range.upperBound)),
            ])
        case .duration: return pattern("^[0-9]+(\\.[0-9]{1,3})?(ms|s|m|h|d)$")
        case .timeToLive: return pattern("^[0-9]+(s|m|h|d)$")
        case .size: return pattern("^[0-9]+(B|KiB|MiB|GiB)$")
        case .share: return pattern("^[0-9]+%$")
        case .address: return pattern("^[0-9A-Fa-f.:]+$")
        case .socketAddress: return pattern("^([0-9.]+|\\[[0-9A-Fa-f.:]+\\]):[0-9]+$")
        case .prefix: return pattern("^[0-9A-Fa-f.:]+(/[0-9]+)?$")
        case .domain: return pattern("^(\\.|([A-Za-z0-9_*-]+\\.)*[A-Za-z0-9_-]+\\.?)$")
        case .label: return pattern("^(@|\\*|(\\*\\.)?([A-Za-z0-9_-]+\\.)*[A-Za-z0-9_-]+\\.?)$")
        case .hostPattern: return pattern("^(\\*|(\\*\\.)?[A-Za-z0-9_.:-]+)$")
        case .host: return pattern("^[A-Za-z0-9._:\\[\\]-]+$")
        case .urlPath: return pattern("^/[^#\\s]*$")
        case .upgrade: return pattern("^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$")
        case .statuses:
            return .object([
                ("type", .array([.string("string"), .string("integer")])),
                ("pattern", .string("^[1-5][0-9][0-9](-[1-5][0-9][0-9])?$")),
            ])
        case .country: return pattern("^[A-Z]{2}$")
        case .subdivision: return pattern("^[A-Z]{2}-[A-Z0-9]{1,3}$")
        case .city: return pattern("^[A-Z]{2}(-[A-Z0-9]{1,3})?/.{1,100}$")
        case .network: return pattern("^(AS)?[0-9]{1,10}$")
        case .clients: return pattern("^(\\*|[0-9A-Fa-f.:]+/[0-9]+|[A-Za-z0-9][A-Za-z0-9._-]{0,62})$")
        case .environmentVariable: return pattern("^[A-Za-z_][A-Za-z0-9_]*$")
        case .word(let word, let other):
            return .object([("oneOf", .array([.object([("const", .string(word))]), scalar(other)]))])
        }
    }

    /// A default as YAML would read it.
    private static func value(_ text: String, _ shape: Shape) -> JSONText {
        switch shape {
        case .scalar(.integer): Int(text).map(JSONText.integer) ?? .string(text)
        case .scalar(.boolean): .boolean(text == "true")
        default: .string(text)
        }
    }
}

extension String {
    /// Without the marks of Markdown.
    fileprivate var plain: String { filter { $0 != "`" } }

    /// `A secret` → `secret`.
    fileprivate var definitionName: String { split(separator: " ").last.map(String.init) ?? self }
}
