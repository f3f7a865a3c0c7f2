/// What is wrong with a head, and so whose fault it is: on the client's side each has a status of its own, in a response
/// all of them are 502.
package enum HeadFault: Sendable, Hashable {
    case malformedStartLine
    case malformedField
    /// A field line that starts with white space (RFC 9112 section 5.2).
    case foldedField
    case malformedTarget
    case malformedPath
    case invalidHost
    /// Both Content-Length and Transfer-Encoding, or framing that two readers could understand differently.
    case ambiguousFraming
    case invalidContentLength
    case unsupportedTransferCoding
    case unsupportedVersion
    case unsupportedExpectation
    case methodNotAllowed
    case targetTooLong
    case headTooLarge
    case tooManyFields
    /// More Connection options than anybody needs.
    case tooManyOptions

    /// The status that tells a client.
    package var status: Int {
        switch self {
        case .malformedStartLine, .malformedField, .foldedField, .malformedTarget, .malformedPath, .invalidHost,
            .ambiguousFraming, .invalidContentLength, .tooManyOptions:
            400
        case .methodNotAllowed: 405
        case .targetTooLong: 414
        case .unsupportedExpectation: 417
        case .headTooLarge, .tooManyFields: 431
        case .unsupportedTransferCoding: 501
        case .unsupportedVersion: 505
        }
    }

    /// For the log and the `X-Meridian-Reason` field.
    package var reason: StaticString {
        switch self {
        case .malformedStartLine: "malformed-start-line"
        case .malformedField: "malformed-field"
        case .foldedField: "folded-field"
        case .malformedTarget: "malformed-target"
        case .malformedPath: "malformed-path"
        case .invalidHost: "invalid-host"
        case .ambiguousFraming: "ambiguous-framing"
        case .invalidContentLength: "invalid-content-length"
        case .unsupportedTransferCoding: "unsupported-transfer-coding"
        case .unsupportedVersion: "unsupported-version"
        case .unsupportedExpectation: "unsupported-expectation"
        case .methodNotAllowed: "method-not-allowed"
        case .targetTooLong: "target-too-long"
        case .headTooLarge: "head-too-large"
        case .tooManyFields: "too-many-fields"
        case .tooManyOptions: "too-many-options"
        }
    }
}

/// How far parsing came.
package enum HeadResult: Sendable, Hashable {
    case complete
    /// More bytes are needed.
    case incomplete
    case invalid(HeadFault)
}

/// Where a message's body ends (RFC 9112 section 6.3).
package enum BodyFraming: Sendable, Hashable {
    case none
    /// Octets of the body, at least 1.
    case length(UInt64)
    case chunked
    /// Responses only: everything until the connection closes.
    case untilClose
}
