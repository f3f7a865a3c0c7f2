import CLinux

/// Memory that is filled once and never changes, so that the data path may read it through `base`, unchecked and without
/// counting references, as long as somebody holds this.
@safe
final class FrozenMemory<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    /// 2 MiB, on x86-64 and on most of arm64.
    private static var hugePage: Int { 1 << 21 }

    let base: UnsafePointer<Element>
    let count: Int

    init(_ elements: [Element]) {
        count = elements.count
        // Cache lines begin where the memory does: what is searched together lies in one line.
        let size = max(1, elements.count * MemoryLayout<Element>.stride)
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: size, alignment: size < Self.hugePage ? 64 : Self.hugePage)
        if size >= Self.hugePage { unsafe meridian_prefer_huge_pages(bytes, size) }
        let memory = unsafe bytes.bindMemory(to: Element.self, capacity: elements.count)
        for index in elements.indices { unsafe (memory + index).initialize(to: elements[index]) }
        unsafe base = UnsafePointer(memory)
    }

    subscript(index: Int) -> Element {
        precondition(index >= 0 && index < count)
        return unsafe base[index]
    }

    deinit { unsafe base.deallocate() }
}
