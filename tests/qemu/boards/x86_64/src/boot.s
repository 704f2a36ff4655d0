# QEMU jumps to _start_32 in 32-bit protected mode without paging (PVH). From there to 64 bits: an identity map of the first
# 4 GiB in pages of 2 MiB, which is where memory and the local interrupt controller are; floating point is switched on
# because the target's code uses its registers.

.section .note.Xen, "a", @note
    .long 4, 4, 18                  # sizes of name and value; XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long _start_32

.section .bss
.align 4096
level_4: .skip 4096
level_3: .skip 4096
level_2: .skip 4 * 4096
stack: .skip 256 * 1024
stack_end:
interrupt_stack: .skip 16 * 1024
interrupt_stack_end:

.section .data
.align 8
descriptors:
    .quad 0
    .quad 0x00af9a000000ffff        # 0x08: code, 64 bits
    .quad 0x00cf92000000ffff        # 0x10: data
task_descriptor:                    # 0x18: the task state, its address filled in below
    .word task_end - task - 1, 0
    .byte 0, 0x89, 0, 0
    .quad 0
descriptors_end:
descriptors_pointer:
    .word descriptors_end - descriptors - 1
    .long descriptors
    .long 0
task:                               # only the first interrupt stack is used
    .long 0
    .quad 0, 0, 0, 0
    .quad interrupt_stack_end
    .skip 60
    .word 104, 0
task_end:

.section .text
.code32
.global _start_32
_start_32:
    cld
    mov esp, offset stack_end
    mov eax, offset level_3 + 3
    mov [level_4], eax
    mov edi, offset level_3
    mov eax, offset level_2 + 3
    mov ecx, 4
1:  mov [edi], eax
    add edi, 8
    add eax, 4096
    loop 1b
    mov edi, offset level_2
    mov eax, 0x83                   # present, writable, 2 MiB
    mov ecx, 2048
2:  mov [edi], eax
    add edi, 8
    add eax, 0x200000
    loop 2b
    mov eax, offset level_4
    mov cr3, eax
    mov eax, cr4
    or eax, 0x620                   # physical address extension, SSE and its exceptions
    mov cr4, eax
    mov ecx, 0xc0000080             # extended features: long mode
    rdmsr
    or eax, 0x100
    wrmsr
    mov eax, cr0
    and eax, 0xfffffffb             # no emulation of floating point
    or eax, 0x80000002              # paging, monitor the coprocessor
    mov cr0, eax
    lgdt [descriptors_pointer]
    .byte 0xea                      # far jump, which the assembler does not spell in this syntax
    .long start_64
    .word 8

.code64
start_64:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov eax, offset task
    mov [task_descriptor + 2], ax
    shr eax, 16
    mov [task_descriptor + 4], al
    mov [task_descriptor + 7], ah
    mov ax, 0x18
    ltr ax
    mov rsp, offset stack_end
    call main
    ud2

# The handler runs on a stack of its own, because the interrupted code may use 128 bytes below its stack pointer.
.global interrupt_entry
interrupt_entry:
    push rax
    push rcx
    push rdx
    push rsi
    push rdi
    push r8
    push r9
    push r10
    push r11
    sub rsp, 512
    fxsave64 [rsp]
    cld
    call interrupt_handler
    fxrstor64 [rsp]
    add rsp, 512
    pop r11
    pop r10
    pop r9
    pop r8
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rax
    iretq

.global fault_entry
fault_entry:
    call fault
    ud2
