import HTTPExchange
import HTTPWire
import Model

/// What the endpoint is told about the client. Of strangers nothing is taken over: each field is ours. From a trusted proxy
/// comes who the client is and what it asked for, as far as that can be read.
extension Exchange {
    /// Learns whose request this is from the proxies before us.
    func noteClient() {
        let session = session
        if session.isTrusted { session.note(client: withHead { word($0, session) }.client) }
    }

    private func word(_ bytes: RawSpan, _ session: ClientSession) -> ProxyWord {
        ProxyWord(proxy.context.request.fields, bytes) { session.rules.trusts($0) }
    }

    /// Whether fields called `name` are written by `appendForwarding`, or may not be sent by this client.
    func replaces(_ name: FieldName, _ session: ClientSession) -> Bool {
        session.isTrusted ? name.isWrittenForwarding : name.isForwarding
    }

    func appendForwarding(_ bytes: RawSpan, _ session: ClientSession, to writer: inout HeadWriter) {
        let authority = proxy.context.request.authority
        guard session.isTrusted else {
            unsafe writer.append(session.forwardedLines)
            appendHost(bytes, authority, to: &writer)
            return
        }
        let word = word(bytes, session)
        writer.append("X-Forwarded-For: ")
        word.appendChain(proxy.context.request.fields, bytes, to: &writer)
        unsafe writer.append(session.peerBytes)
        writer.append("\r\nX-Real-IP: ")
        unsafe writer.append(session.clientBytes)
        let isSecure = word.isSecure ?? false
        writer.append(isSecure ? "\r\nX-Forwarded-Proto: https" : "\r\nX-Forwarded-Proto: http")
        writer.append("\r\nX-Forwarded-Port: ")
        if !word.port.isEmpty {
            writer.append(bytes, word.port)
        } else {
            // Encrypted requests did not come to our port.
            writer.append(decimal: isSecure ? 443 : UInt64(session.rules.port))
        }
        writer.append("\r\nVia: 1.1 meridian\r\n")
        appendHost(bytes, word.authority.isEmpty ? authority : word.authority, to: &writer)
    }

    private func appendHost(_ bytes: RawSpan, _ authority: Slice, to writer: inout HeadWriter) {
        if authority.isEmpty { return }
        writer.append("X-Forwarded-Host: ")
        writer.append(bytes, authority)
        writer.append("\r\n")
    }
}
