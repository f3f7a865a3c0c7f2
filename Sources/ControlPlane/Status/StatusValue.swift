/// A JSON tree, as `/status`, `/config` and `/explain` answer with and `meridianctl` reads.
package enum StatusValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([StatusValue])
    case object([String: StatusValue])

    package init(_ value: some BinaryInteger) { self = .int(Int64(clamping: value)) }

    package init(_ value: some CustomStringConvertible) { self = .string(value.description) }

    /// The member `key` of an object; `.null` when this is no object or lacks it.
    package subscript(key: String) -> StatusValue {
        get {
            guard case .object(let members) = self else { return .null }
            return members[key] ?? .null
        }
        set {
            var members: [String: StatusValue] = [:]
            if case .object(let existing) = self { members = existing }
            members[key] = newValue
            self = .object(members)
        }
    }

    package var array: [StatusValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    package var object: [String: StatusValue] {
        guard case .object(let members) = self else { return [:] }
        return members
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var int: Int64? {
        switch self {
        case .int(let value): value
        case .double(let value): Int64(exactly: value)
        default: nil
        }
    }

    package var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// This object with the members of `other` added; those of `other` win.
    package func merging(_ other: StatusValue) -> StatusValue {
        .object(object.merging(other.object) { _, new in new })
    }
}

extension StatusValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(nilLiteral: ()) { self = .null }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: StatusValue...) { self = .array(elements) }

    /// A key that stands twice keeps its last value.
    package init(dictionaryLiteral elements: (String, StatusValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}

/// Read by `JSONReader`: a decoder that tries one type after the other takes time that grows with depth times size.
extension StatusValue: Encodable {
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        // JSON knows neither infinity nor NaN (RFC 8259 section 6).
        case .double(let value): if value.isFinite { try container.encode(value) } else { try container.encodeNil() }
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
