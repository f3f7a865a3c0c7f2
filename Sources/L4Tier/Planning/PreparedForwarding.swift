import Engine

/// A configuration with its new listeners bound. Dropping it closes those that nobody took.
package struct PreparedForwarding: Sendable {
    let plan: ForwardingPlan
    let sockets: BoundListeners
}
